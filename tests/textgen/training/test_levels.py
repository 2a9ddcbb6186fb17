"""A real training of seconds at each level: what was trained is what is saved, loaded and sampled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import textgen
from tests.textgen.conftest import prose
from textgen import bundle
from textgen.errors import BundleError, SettingsError
from textgen.files import bundle_files
from textgen.levels import LEVELS
from textgen.sampling import SamplingSettings
from textgen.settings.training import TrainingSettings
from textgen.training.reporting.events import Event

TINY = {
    "preset": "tiny",
    "rnn_size": 32,
    "num_layers": 1,
    "batch_size": 8,
    "seq_length": 16,
    "seq_step": 16,
    "num_epochs": 4,
    "dropout": 0.0,
}


# A word model shows that another level than the characters of most tests is trained; the rest takes long.
@pytest.fixture(
    scope="module",
    params=[pytest.param(level, marks=() if level == "word" else pytest.mark.slow) for level in LEVELS],
)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus and the model that was trained on it."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "input.txt").write_text(prose(900), encoding="utf-8")
    textgen.train(folder, level=request.param, **TINY)
    return folder / "model"


@pytest.mark.slow
def test_a_trained_model_writes_words_of_its_corpus(trained: Path) -> None:
    model = textgen.load(trained)
    assert model.manifest.level == trained.parent.name[: len(model.manifest.level)]
    corpus = prose(900)
    known = set((corpus if model.manifest.level in ("subword", "byte") else corpus.lower()).split())
    text = model.generate("The old king", length=120, temperature=0.2, random_seed=1)
    words = text.split()[:-1]
    assert sum(word in known for word in words) / len(words) > 0.6
    assert text[0] in " \n"


def test_its_length_is_what_was_asked_for(trained: Path) -> None:
    model = textgen.load(trained)
    for length in (1, 2, 37):
        sample = model.sample("A dog", SamplingSettings(length, 1.0, 3))
        if model.manifest.level == "word":
            prompt = model.tokenizer.encode("A dog")
            written = model.tokenizer.encode(sample.seed + sample.text)[len(prompt) :]
            assert len(written) == length
        else:
            assert len(sample.text) == length


def test_streamed_it_is_the_same_text(trained: Path) -> None:
    model = textgen.load(trained)
    settings = SamplingSettings(50, 1.0, 9)
    pieces = list(model.stream("", length=50, temperature=1.0, random_seed=9))
    assert len(pieces) > 5
    assert "".join(pieces) == model.sample("", settings).text


def test_probabilities_of_the_next_token_sum_to_one(trained: Path) -> None:
    model = textgen.load(trained)
    following = model.next_token("The old")
    assert sum(following.values()) == pytest.approx(1)
    assert len(following) == model.spec.vocabulary
    likeliest = max(following, key=lambda name: following[name])
    assert likeliest == {"char": " ", "word": "king", "subword": " king", "byte": " "}[model.manifest.level]


def test_the_served_model_has_the_loss_that_was_reported(trained: Path) -> None:
    model = textgen.load(trained)
    text = (trained.parent / "input.txt").read_text()
    held_out = text[model.manifest.characters :]
    assert -model.log_probabilities(held_out).mean() == pytest.approx(model.manifest.validation_loss, rel=0.1)


def test_saved_again_it_is_the_same_model(trained: Path, tmp_path: Path) -> None:
    read = bundle.read(trained)
    bundle.write(tmp_path / "copy", read)
    again = textgen.load(tmp_path / "copy")
    text = prose(20)
    np.testing.assert_array_equal(
        again.log_probabilities(text), textgen.load(trained).log_probabilities(text)
    )


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_flipped_byte_of_its_tokenizer_is_found(trained: Path, tmp_path: Path, where: float) -> None:
    bundle.write(tmp_path / "copy", bundle.read(trained))
    path = tmp_path / "copy" / bundle_files.TOKENIZER
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"tokenizer\.json is damaged"):
        textgen.load(tmp_path / "copy")


def test_a_sampler_loads_neither_the_package_nor_nltk(trained: Path) -> None:
    program = (
        "import sys, textgen\n"
        f"textgen.load({str(trained)!r}).generate('The old king', length=5)\n"
        "print(sorted({'tokenizers', 'nltk', 'keras', 'tensorflow'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.slow
def test_low_coverage_of_the_vocabulary_is_noted(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text(prose(300), encoding="utf-8")
    events: list[Event] = []
    manifest = textgen.train(
        tmp_path, word_tokens=True, vocabulary_size=20, on_event=events.append, **{**TINY, "num_epochs": 1}
    )
    assert manifest.level == "word"
    assert manifest.vocabulary == 20
    notes = [note for note in events[0]["notes"] if "covers" in note]
    assert len(notes) == 1
    assert notes[0].startswith("the vocabulary of 20 tokens covers ")
    assert "% of the validation text" in notes[0]
    text = textgen.load(tmp_path / "model").generate("The", length=200, random_seed=2)
    assert "\N{REPLACEMENT CHARACTER}" not in text


@pytest.mark.slow
def test_pristine_words_are_written_as_they_were_read(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text(prose(300), encoding="utf-8")
    textgen.train(
        tmp_path, level="word", pristine_input=True, pristine_output=True, **{**TINY, "num_epochs": 1}
    )
    model = textgen.load(tmp_path / "model")
    assert set(model.generate(length=80).split()) <= set(prose(300).split())
    data = json.loads((tmp_path / "model" / bundle_files.TOKENIZER).read_text())
    assert set(data["words"]) == set(prose(300).split()) & set(data["words"])
    # A line break is no token here, and yet there is something to begin with.
    assert bundle.read_manifest(tmp_path / "model").settings["pristine_output"] is True


def test_a_level_has_its_own_recipe_but_flags_and_the_classic_preset_stand() -> None:
    words = TrainingSettings.from_flags(level="word")
    assert (words.prior, words.batch_size) == (6, 8)
    assert words.network(20_000).prior == 4
    assert TrainingSettings.from_flags(
        word_tokens=True, prior=2, batch_size=32
    ) == TrainingSettings.from_flags(level="word", prior=2, batch_size=32)
    classic = TrainingSettings.from_flags(level="word", preset="classic")
    assert (classic.batch_size, classic.num_epochs, classic.prior) == (32, 50, 0)


def test_contradicting_names_of_a_level_are_refused(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text(prose(300), encoding="utf-8")
    with pytest.raises(SettingsError, match="word_tokens means level word, but level is 'char'"):
        textgen.train(tmp_path, level="char", word_tokens=True)
    command = [sys.executable, "-m", "textgen", "train", "--data-dir", str(tmp_path)]
    done = subprocess.run(
        [*command, "--level", "subword", "--word-tokens"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--word-tokens means --level word; it contradicts --level subword" in done.stderr
