"""Did this model write this text? Genuine, changed and forged texts, at the library and at the shell."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.textgen.bundles import SYMBOLS, write_random_bundle
from tests.support.textgen.command import textgen
from textgen import bundle
from textgen.blending import blend
from textgen.errors import BundleError, SettingsError
from textgen.evaluation.authorship.verification import Verdict, code_of_sample, find_bundle, verify
from textgen.evaluation.copies import CopyIndex
from textgen.files.fingerprint import claimed_fingerprint
from textgen.model import TextModel
from textgen.receipts.code import Receipt, check_of
from textgen.receipts.seed_in_text import seed_in
from textgen.sampling import SamplingSettings

LENGTH = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models")
    write_random_bundle(path / "one")
    write_random_bundle(path / "other", "linear")
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> TextModel:
    return TextModel.load(folder / "one")


def written(model: TextModel, seed: str = "", **controls: object) -> tuple[str, Receipt]:
    settings = SamplingSettings.of({"length": LENGTH, **controls}).seeded()
    sample = model.sample(seed, settings)
    code = code_of_sample(model, settings, sample, seeded=bool(seed))
    assert code
    return sample.seed + sample.text, Receipt.from_code(code)


CONTROLS = [
    {},
    {"temperature": 0},
    {"temperature": 1.2345678, "top_p": 0.9},
    {"top_k": 5, "min_p": 0.05, "typical_p": 0.8},
    {"repetition_penalty": 1.3, "repetition_window": 9, "no_repeat_ngram": 3},
    {"stop": ["ee", "é"], "novel": True},
    {"random_seed": 2**63 - 1},
]


@pytest.mark.parametrize("controls", CONTROLS, ids=str)
@pytest.mark.parametrize("seed", ["", "the sea", " A\n", "étain?!"])
def test_a_genuine_text_is_known_to_the_letter(model: TextModel, seed: str, controls: dict) -> None:
    text, receipt = written(model, seed, **controls)
    found = verify(text, receipt, model)
    assert found.verdict is Verdict.YES
    assert not found.changes


def test_at_the_shell_a_text_is_kept_from_its_corpus_and_known_with_it(folder: Path, tmp_path: Path) -> None:
    one, corpus = str(folder / "one"), tmp_path / "corpus.txt"
    asked = ("sample", one, "--seed", "the sea", "--length", "120", "--random-seed", "4")
    free = shell(*asked).stdout.removesuffix("\n")
    # In another encoding, and with other line ends: it is read like the corpus of a training.
    corpus.write_text(free, encoding="utf-16", newline="\r\n")
    original = shell(*asked, "--corpus", str(corpus), "--longest-copy", "20", "--receipt")
    text, (code,) = (
        original.stdout.removesuffix("\n"),
        [line.split()[1] for line in original.stderr.splitlines() if line.startswith("receipt ")],
    )
    plain = tmp_path / "plain.txt"
    plain.write_text(free, encoding="utf-8")
    assert CopyIndex.of(plain, 20).longest_copy(free.removeprefix("the sea")) > 100
    assert CopyIndex.of(plain, 20).longest_copy(text.removeprefix("the sea")) == 0
    streamed = shell(*asked, "--corpus", str(corpus), "--longest-copy", "20", "--stream")
    assert streamed.stdout == original.stdout

    known = ("verify", text, "--code", code, "--model", one)
    assert shell(*known, "--corpus", str(corpus)).stdout == "yes, to the letter\n"
    for bad, status, says in (
        (known, 1, "give it as --corpus"),
        ((*known, "--corpus", str(tmp_path / "none.txt")), 1, "none.txt is not there"),
        ((*asked, "--corpus", str(tmp_path / "none.txt")), 1, "none.txt is not there"),
        ((*asked, "--longest-copy", "20"), 2, "name that by --corpus"),
        ((*asked, "--corpus", str(corpus), "--longest-copy", "5"), 2, "20<=x<=2000"),
    ):
        refused = shell(*bad)
        assert (refused.returncode, refused.stdout) == (status, ""), bad
        assert says in refused.stderr


@pytest.mark.slow
def test_one_changed_character_is_told_where_it_is_also_in_the_seed(model: TextModel) -> None:
    draw = random.Random(5)
    for number in range(60):
        text, receipt = written(model, "the nation" if number % 2 else "", random_seed=number)
        at = number // 2 if number < 20 else draw.randrange(len(text))
        letter = draw.choice([symbol for symbol in SYMBOLS + "Zß" if symbol != text[at]])
        changed = text[:at] + letter + text[at + 1 :]
        found = verify(changed, receipt, model)
        assert found.written == text
        assert found.verdict is Verdict.CHANGED or found.only_ends
        assert any(each.at <= at < each.at + len(each.written) for each in found.changes)


def test_text_that_was_shortened_or_added_to_is_shown_as_changed(model: TextModel) -> None:
    text, receipt = written(model, "the sea", random_seed=3)
    for changed in (text[:60], text[1:], text[:50] + text[70:], text + " and more", "x" + text):
        found = verify(changed, receipt, model)
        assert found.verdict is Verdict.CHANGED, changed
        assert found.written == text


def test_lost_white_space_at_the_ends_and_other_line_ends_are_no_changes(model: TextModel) -> None:
    text, receipt = written(model, random_seed=3)
    assert verify(f"\n{text} \n", receipt, model).only_ends
    assert verify(text.replace("\n", "\r\n"), receipt, model).verdict is Verdict.YES


@pytest.mark.parametrize("text", ["", "no", "the tin hat is on a tin lid " * 8, "\0" * 300, "日" * 6_000])
@pytest.mark.parametrize("seed", ["", "the sea"])
def test_a_forged_code_does_not_pass(model: TextModel, text: str, seed: str) -> None:
    genuine, receipt = written(model, seed)
    assert verify(text, receipt, model).verdict is Verdict.NO
    for forged in (
        replace(receipt, random_seed=receipt.random_seed ^ 1),
        replace(receipt, temperature=1.5),
        replace(receipt, length=receipt.length - 30),
    ):
        assert verify(genuine, forged, model).verdict is not Verdict.YES


def test_a_seed_changed_in_two_places_cannot_be_drawn_from(model: TextModel) -> None:
    text, receipt = written(model, "the sea")
    found = verify("XX" + text[2:], receipt, model)
    assert found.verdict is Verdict.NO
    assert found.seed_lost


def test_the_code_of_impossible_options_is_refused(model: TextModel) -> None:
    _, receipt = written(model)
    with pytest.raises(SettingsError, match="length"):
        verify("x", replace(receipt, length=2**60), model)


def test_a_repaired_seed_is_any_text_one_character_away() -> None:
    seed = "To be, or not to be"
    receipt = Receipt("0123456789", 1, 1, 1.0, seed_characters=len(seed), seed_check=0)
    receipt = replace(receipt, seed_check=check_of(seed))
    for begun in (seed, seed[1:], "x" + seed, seed[:5] + seed[6:], seed[:5] + "!" + seed[5:], "t" + seed[1:]):
        assert seed_in(begun + " that is", receipt) == seed, begun
    assert seed_in(seed[:-1], receipt) == seed
    assert seed_in("", receipt) is None
    assert seed_in("é" * 6_000, receipt) is None


def test_the_fingerprint_is_of_the_files_and_survives_a_copy(folder: Path, tmp_path: Path) -> None:
    made = TextModel.load(folder / "one")
    shutil.copytree(folder / "one", tmp_path / "renamed")
    (tmp_path / "renamed" / "loss.png").write_bytes(b"a picture")
    assert TextModel.load(tmp_path / "renamed").fingerprint == made.fingerprint
    assert claimed_fingerprint(tmp_path / "renamed") == made.fingerprint
    assert claimed_fingerprint(folder / "other") != made.fingerprint


def test_a_manifest_that_claims_another_model_is_not_believed(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "other", tmp_path / "forged")
    manifest = json.loads((tmp_path / "forged" / "manifest.json").read_text())
    genuine = json.loads((folder / "one" / "manifest.json").read_text())
    manifest["files"] = genuine["files"]
    (tmp_path / "forged" / "manifest.json").write_text(json.dumps(manifest))
    receipt = Receipt(TextModel.load(folder / "one").fingerprint[:10], 1, 1, 1.0)
    found = find_bundle(receipt.model, [tmp_path / "forged"])
    with pytest.raises(BundleError, match="damaged"):
        TextModel.load(found)


BROKEN = ["", "[]", "{}", '{"files": 3, "seeds": []}', '{"files": {}}', "[" * 9_999]


@pytest.mark.parametrize("manifest", BROKEN)
def test_a_broken_manifest_is_one_line(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(BundleError, match="not the manifest"):
        claimed_fingerprint(tmp_path)
    with pytest.raises(BundleError, match="cannot be read"):
        claimed_fingerprint(tmp_path / "absent")


def test_a_model_that_changed_is_another_one(folder: Path, tmp_path: Path) -> None:
    made = bundle.read(folder / "one")
    weights = {name: array.copy() for name, array in made.weights.items()}
    next(iter(weights.values())).flat[0] += 1
    bundle.write(tmp_path / "trained again", replace(made, weights=weights))
    text, receipt = written(TextModel.load(folder / "one"))
    again = TextModel.load(tmp_path / "trained again")
    with pytest.raises(BundleError, match="the code names the model"):
        verify(text, receipt, again)


def shell(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return textgen(*arguments, stdin=typed)


@pytest.mark.slow
def test_at_the_shell_a_text_is_known_by_its_code(folder: Path, tmp_path: Path) -> None:
    one, other = str(folder / "one"), str(folder / "other")
    sampled = shell("sample", one, "--seed", "the sea", "--length", "80", "--receipt")
    (code,) = [line.split()[1] for line in sampled.stderr.splitlines() if line.startswith("receipt ")]
    text = sampled.stdout.removesuffix("\n")
    copied = tmp_path / "copied.txt"
    copied.write_text(f"{text}\n{code}\n")

    found = shell("verify", str(copied), "--model", other, "--model", one)
    assert (found.returncode, found.stdout) == (0, "yes, to the letter\n")
    # A letter: white space is shown in another form, and rounding decides what stands there.
    at = next(index for index in range(40, len(text)) if text[index].isalpha())
    changed = f"{text[:at]}#{text[at + 1 :]}\n"
    found = shell("verify", "-", "--code", code, "--model", one, typed=changed)
    assert found.returncode == 1
    assert "yes, but changed in 1 place" in found.stdout
    assert f"[{text[at]}]" in found.stdout
    assert "[#]" in found.stdout
    (tmp_path / "stderr.txt").write_text(sampled.stderr)
    found = shell("verify", text, "--code", str(tmp_path / "stderr.txt"), "--model", one)
    assert found.stdout == "yes, to the letter\n"
    found = shell("verify", "another text", "--code", code, "--model", one, "--json")
    assert (found.returncode, json.loads(found.stdout)["verdict"]) == (1, "no")

    for bad, says in (
        (("verify", text, "--model", one), "give --code CODE"),
        (("verify", text, "--code", code[:-1], "--model", one), "damaged"),
        (("verify", text, "--code", code, "--model", other), "not the one that the code names"),
        (("verify", text, "--code", code, "--model", str(tmp_path)), "cannot be read"),
        (("verify", "", "--code", code, "--model", one), "there is no text"),
    ):
        refused = shell(*bad)
        assert (refused.returncode, refused.stdout) == (1, ""), bad
        assert says in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert shell("verify", text, "--code", code).returncode == 2


@pytest.mark.slow
def test_every_text_of_several_has_a_code_and_one_that_the_clock_ended_has_none(folder: Path) -> None:
    one = str(folder / "one")
    sampled = shell("sample", one, "--count", "2", "--length", "50", "--receipt", "--json")
    for line in sampled.stdout.splitlines():
        told = json.loads(line)
        found = shell("verify", told["seed"] + told["text"], "--code", told["receipt"], "--model", one)
        assert found.stdout.startswith("yes, to the letter")
    clock = shell("sample", one, "--length", "900000", "--time-limit", "0.05", "--receipt", "--stream")
    assert "no receipt" in clock.stderr


def test_the_text_of_a_blend_is_known_as_the_blends_alone(folder: Path, model: TextModel) -> None:
    other = TextModel.load(folder / "other")
    text, receipt = written(blend(model, other, 0.37), "the sea ", temperature=0.9)
    assert verify(text, receipt, blend(model, other, 0.37)).verdict is Verdict.YES
    elsewhere = replace(receipt, random_seed=receipt.random_seed ^ 1)
    assert verify(text, elsewhere, blend(model, other, 0.37)).verdict is Verdict.NO
    # A blend of nearly the same mix may write long runs of the same characters.
    leaning = replace(receipt, mix=0.9)
    assert verify(text, leaning, blend(model, other, 0.9)).verdict is not Verdict.YES
    for another in (model, blend(model, other, 0.38), blend(other, model, 0.37)):
        with pytest.raises(
            BundleError, match=r"the code names the blend of \w{10} with \w{10} \(mix 0\.37\)"
        ):
            verify(text, receipt, another)
    assert written(blend(model, other, 0))[1].model == model.fingerprint[:10]
    assert not written(blend(model, other, 0))[1].other
    nested = blend(blend(model, other), model)
    settings = SamplingSettings(length=5, random_seed=1)
    assert code_of_sample(nested, settings, nested.sample("", settings), seeded=False) is None
