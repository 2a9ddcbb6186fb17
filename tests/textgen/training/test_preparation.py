"""From a corpus' files to tokens: two readings, a cache, little memory."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.support.textgen.preparing import SETTINGS, prepared, text_of
from tests.support.texts import hard_inputs
from tests.textgen.conftest import prose
from textgen.corpus.reading.reader import CorpusReader, read_as_trained
from textgen.corpus.reading.sources import ReadingOptions, find
from textgen.errors import CorpusError, TextgenError, TrainingError, TrainingInterruptedError
from textgen.levels import LEVELS
from textgen.settings.training import TrainingSettings
from textgen.tokenizers import CharacterTokenizer
from textgen.training import memory
from textgen.training.data import preparation, token_cache
from textgen.training.data.preparation import prepare
from textgen.training.data.reading_time import ReadingTime
from textgen.training.data.token_cache import TokenCache
from textgen.training.reporting.events import Control
from textgen.training.start import first_look


def test_the_tokens_read_as_the_text(corpus: Path) -> None:
    made = prepared(corpus)
    training, validation = text_of(made)
    assert training + validation == prose(700)
    assert made.characters == len(training)
    assert made.sha256 == hashlib.sha256(training.encode()).hexdigest()
    assert made.seeds
    assert set(made.seeds) <= set(training.splitlines())
    assert made.training.dtype == np.uint16
    assert any(f"the last {len(validation):,} characters are held out" in note for note in made.notes)
    assert made.text_form == {"encodings": ["utf-8"], "normalization": "NFC"}
    assert prepared(corpus, keep_seeds=False).seeds == []


@pytest.mark.parametrize("block", [200, 5_000])
def test_a_text_of_many_blocks_gives_the_same_vocabulary(
    corpus: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepared(corpus)
    monkeypatch.setattr(preparation, "CorpusReader", partial(CorpusReader, block_bytes=block))
    pieced = prepared(corpus)
    assert text_of(pieced)[0] + text_of(pieced)[1] == prose(700)
    assert pieced.tokenizer.to_json() == whole.tokenizer.to_json()


def test_the_vocabulary_comes_from_the_training_text_only(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text(prose(100), encoding="utf-8")
    (tmp_path / "validate.txt").write_text("ñandú! " * 30, encoding="utf-8")
    made = prepared(tmp_path)
    assert made.tokenizer.unseen("ñ") == ["ñ"]
    assert text_of(made)[1].startswith("�a")
    told = [note for note in made.notes if "vocabulary lacks" in note]
    assert told
    assert "'ñ'" in told[0]


def test_a_capped_vocabulary_tells_its_coverage(corpus: Path) -> None:
    made = prepared(corpus, vocabulary_size=10)
    assert made.tokenizer.size == 10
    share = np.count_nonzero(made.training) / len(made.training)
    assert any(f"10 tokens covers {share:.2%}" in note for note in made.notes)


def test_merges_learned_from_the_beginning_encode_the_whole_text(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textgen.tokenizers.subword._LEARNT_FROM", 1_000)
    monkeypatch.setattr(preparation, "CorpusReader", partial(CorpusReader, block_bytes=1_000))
    made = prepared(corpus, level="subword")
    assert "".join(text_of(made)) == prose(700)
    assert made.characters == len(text_of(made)[0])


def test_chat_logs_and_secrets_are_noted(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_bytes(hard_inputs.CHAT_LOG + b"write to anna@example.org\n" * 20)
    told = " ".join(prepared(tmp_path).notes)
    assert "looks like a Discord export" in told
    assert "20 × e-mail address" in told


def test_encodings_are_recorded(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_bytes(hard_inputs.WINDOWS_1252)
    made = prepared(tmp_path, options=ReadingOptions(encoding="windows-1252"))
    assert made.text_form["encodings"] == ["cp1252"]
    assert "Voilà" in text_of(made)[0]


@pytest.mark.parametrize("text", hard_inputs.SCRIPTS.values(), ids=hard_inputs.SCRIPTS.keys())
def test_every_script_is_trained_on_whole(tmp_path: Path, text: str) -> None:
    (tmp_path / "input.txt").write_text(text, encoding="utf-8")
    training, validation = text_of(prepared(tmp_path))
    assert training + validation == text
    assert len(validation) >= 50


@pytest.mark.parametrize("case", hard_inputs.REFUSED, ids=lambda case: case.name)
@pytest.mark.parametrize("level", LEVELS)
def test_a_refused_corpus_leaves_no_files(tmp_path: Path, level: str, case: hard_inputs.HardInput) -> None:
    (tmp_path / "input.txt").write_bytes(case.data)
    with pytest.raises(CorpusError) as caught:
        prepared(tmp_path, TokenCache(tmp_path / "cache"), level=level)
    for words in case.says:
        assert words in str(caught.value)
    assert list((tmp_path / "cache").glob("*")) == []


def test_a_full_disk_gives_an_error_of_one_line_and_leaves_no_files(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text(prose(4_000), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path\n"
        "from textgen.corpus.reading.sources import find\n"
        "from textgen.settings.training import TrainingSettings\n"
        "from textgen.training.data.preparation import prepare\n"
        "from textgen.training.data.token_cache import TokenCache\n"
        "from textgen.errors import TextgenError\n"
        "folder = Path(sys.argv[1])\n"
        "try: prepare(find(folder), TrainingSettings.from_flags(), cache=TokenCache(folder / 'cache'))\n"
        "except TextgenError as error: print(error)\n"
    )
    command = f'ulimit -f 100; exec {sys.executable} -c "$0" {tmp_path}'
    result = subprocess.run(["bash", "-c", command, code], capture_output=True, text=True, check=False)
    assert "cannot be written to" in result.stdout, result
    assert "File too large; make room; name another folder with cache_dir" in result.stdout
    assert result.stdout.count("\n") == 1
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_corpus_that_changes_between_the_readings_is_refused(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = CharacterTokenizer.train

    def change(*given: object, **flags: object) -> CharacterTokenizer:
        made = train(*given, **flags)  # type: ignore[arg-type]
        (corpus / "input.txt").write_text(prose(800), encoding="utf-8")
        return made

    monkeypatch.setattr(CharacterTokenizer, "train", change)
    with pytest.raises(CorpusError, match="changed while it was read"):
        prepared(corpus, TokenCache(corpus / "cache"))
    assert list((corpus / "cache").iterdir()) == []


def test_reading_a_large_corpus_ends_with_the_time_limit(tmp_path: Path) -> None:
    hard_inputs.write_large(tmp_path / "input.txt", 3 << 20)
    with pytest.raises(TrainingError, match=r"time limit of 0.01 s was over before the corpus had been read"):
        prepare(find(tmp_path), SETTINGS, time=ReadingTime(0.01, Control()))


def test_reading_in_native_code_is_ended_by_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgen.training.data.reading_time._GRACE_S", 0.1)
    control = Control()
    given_up: list[TextgenError] = []
    done = threading.Event()
    control.give_up = lambda error: (given_up.append(error), done.set())[0]
    with ReadingTime(None, control).watched():
        assert not done.wait(0.5)
        control.cancel()
        assert done.wait(30)
    assert isinstance(given_up[0], TrainingInterruptedError)


def test_reading_a_large_corpus_can_be_cancelled(tmp_path: Path) -> None:
    hard_inputs.write_large(tmp_path / "input.txt", 3 << 20)
    control = Control()
    control.cancel()
    with pytest.raises(TrainingInterruptedError, match="stopped while the corpus was read"):
        prepare(
            find(tmp_path), SETTINGS, cache=TokenCache(tmp_path / "cache"), time=ReadingTime(None, control)
        )
    assert not (tmp_path / "cache").exists() or not list((tmp_path / "cache").iterdir())


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from textgen.corpus.reading.sources import find\n"
        "from textgen.settings.training import TrainingSettings\n"
        "from textgen.training.data.preparation import prepare\n"
        "from textgen.training.data.token_cache import TokenCache\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "folder, before = Path(sys.argv[1]), peak()\n"
        "made = prepare(find(folder), TrainingSettings.from_flags(), cache=TokenCache(folder / 'cache'))\n"
        "print(len(made.training), peak() - before)\n"
    )
    hard_inputs.write_large(tmp_path / "input.txt", 24_000_000)
    command = [sys.executable, "-c", code, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    tokens, kibibytes = map(int, result.stdout.split())
    assert tokens > 20_000_000
    assert kibibytes < 90 * 1024  # the tokens alone are 46 MiB, the text as a Python string as much


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.slow
def test_a_million_different_words_are_capped_and_the_coverage_is_told(tmp_path: Path, level: str) -> None:
    hard_inputs.write_million_words(tmp_path / "input.txt")
    made = prepared(tmp_path, level=level)
    assert made.characters > 6_000_000
    assert made.tokenizer.size <= 50_000
    told = [note for note in made.notes if "covers" in note]
    assert bool(told) is (level == "word")


@pytest.mark.parametrize("level", LEVELS)
def test_a_text_of_many_blocks_is_whole_at_every_level(
    corpus: Path, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "CorpusReader", partial(CorpusReader, block_bytes=5_000))
    training, validation = text_of(prepared(corpus, level=level))
    # At word level the input is split at white space here, which is not kept apart.
    assert f"{training} {validation}".split() == prose(700).split()
    made = prepared(corpus, TokenCache(corpus / "cache"), level=level)
    again = prepared(corpus, TokenCache(corpus / "cache"), level=level)
    np.testing.assert_array_equal(made.training, again.training)
    assert made.tokenizer.to_json() == again.tokenizer.to_json()


def test_a_network_that_does_not_fit_in_memory_is_refused_by_its_vocabulary() -> None:
    settings = TrainingSettings.from_flags(preset="small")
    memory.check(settings, 80, 1_000_000, 2 << 30)
    memory.check(settings, 500_000, 1_000_000, None)
    with pytest.raises(TrainingError, match=r"500,000 tokens needs about .* GB .* lower vocabulary_size"):
        memory.check(settings, 500_000, 1_000_000, 2 << 30)


def test_free_memory_is_the_smaller_of_the_machines_and_the_containers(tmp_path: Path) -> None:
    machine, group = tmp_path / "meminfo", tmp_path / "group"
    group.mkdir()
    assert memory.available(machine, group) is None
    machine.write_text("MemTotal: 9000 kB\nMemAvailable:    5000 kB\n")
    assert memory.available(machine, group) == 5000 << 10
    (group / "memory.max").write_text("max\n")
    assert memory.available(machine, group) == 5000 << 10
    (group / "memory.max").write_text("4000000\n")
    (group / "memory.current").write_text("3500000\n")
    (group / "memory.stat").write_text("anon 500000\nfile 3000000\nkernel 1\n")
    assert memory.available(machine, group) == 3_500_000


def test_a_description_is_plain_json(corpus: Path) -> None:
    cache = TokenCache(corpus / "cache")
    prepared(corpus, cache)
    (entry,) = cache.folder.iterdir()
    stored = json.loads((entry / token_cache.DESCRIPTION).read_text(encoding="utf-8"))
    assert set(stored["description"]) >= {"tokenizer", "characters", "seeds", "text_form"}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("words", [1, 3, 7, 8, 40])
def test_few_validation_tokens_are_refused_by_name_or_give_a_finite_loss(
    corpus: Path, level: str, words: int
) -> None:
    long = "unheardof" * (14 if words < 10 else 1)
    (corpus / "validate.txt").write_text(" ".join([long] * words), encoding="utf-8")
    if level == "word" and words < 8:
        with pytest.raises(CorpusError, match=rf"validate\.txt has {words} tokens at word level; at least 8"):
            prepared(corpus, level=level)
        return
    made = prepared(corpus, level=level)
    settings = TrainingSettings.from_flags(level=level, pristine_input=True)
    _, start = first_look(made, settings.network(made.tokenizer.size), None, 0.0)
    assert math.isfinite(start.loss)


def test_a_bundle_remembers_how_the_text_was_read(tmp_path: Path) -> None:
    rows = "".join(f'{n},"{line}"\n' for n, line in enumerate(prose(200).splitlines()))
    (tmp_path / "input.csv").write_bytes(f"id,text\n{rows}".encode("cp1252"))
    (tmp_path / "validate.txt").write_text(prose(30), encoding="utf-8")
    form = prepared(tmp_path, options=ReadingOptions("text", "cp1252")).text_form
    assert form == {"encodings": ["cp1252"], "normalization": "NFC", "column": "text", "encoding": "cp1252"}
    # Another table is read by the same column, and in the same encoding only if it is no UTF-8.
    for name, data in {"a.csv": "1,é", "b.csv": "1,e"}.items():
        (tmp_path / name).write_bytes(f"id,text\n{data}\n".encode("cp1252"))
    (tmp_path / "c.csv").write_text("id,text,body\n1,é,ü\n", encoding="utf-8")
    (tmp_path / "d.txt").write_text("é\n", encoding="utf-8")
    read = partial(read_as_trained, given=ReadingOptions(), trained=form)
    assert read(tmp_path / "a.csv") == ("é\n", ["a.csv is read in cp1252, as the model's corpus was"])
    assert read(tmp_path / "b.csv") == ("e\n", [])
    assert read(tmp_path / "c.csv") == ("é\n", [])
    assert read(tmp_path / "d.txt") == ("é\n", [])
    assert read_as_trained(tmp_path / "c.csv", ReadingOptions("body"), form)[0] == "ü\n"
