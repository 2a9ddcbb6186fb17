"""The cache of prepared corpora: found again, not trusted when damaged, bounded, absent where unwanted."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.textgen.preparing import prepared, text_of
from tests.textgen.conftest import prose
from textgen.corpus.reading.sources import find
from textgen.tokenizers import CharacterTokenizer
from textgen.training.data import preparation, token_cache
from textgen.training.data.preparation import choose_cache
from textgen.training.data.token_cache import TokenCache


def test_a_prepared_corpus_is_taken_from_the_cache(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = TokenCache(corpus / "cache")
    first = prepared(corpus, cache)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("prepared again")

    monkeypatch.setattr(CharacterTokenizer, "train", fail)
    monkeypatch.setattr(CharacterTokenizer, "encode", fail)
    again = prepared(corpus, cache, learning_rate=0.5, rnn_size=64, batch_size=3, preset="tiny")
    assert text_of(again) == text_of(first)
    assert (again.sha256, again.seeds, again.notes) == (first.sha256, first.seeds, first.notes)
    # What decides the tokens is part of the key.
    for changed in ({"pristine_input": False}, {"vocabulary_size": 9}, {"validation_split": 0.2}):
        with pytest.raises(AssertionError, match="prepared again"):
            prepared(corpus, cache, **changed)
    (corpus / "input.txt").write_text(prose(701), encoding="utf-8")
    with pytest.raises(AssertionError, match="prepared again"):
        prepared(corpus, cache)


@pytest.mark.parametrize("name", [token_cache.TRAINING, token_cache.VALIDATION, token_cache.DESCRIPTION])
@pytest.mark.parametrize("damage", ["truncated", "tampered", "missing", "empty"])
def test_a_damaged_cache_entry_is_prepared_again(corpus: Path, name: str, damage: str) -> None:
    cache = TokenCache(corpus / "cache")
    whole = text_of(prepared(corpus, cache))
    (entry,) = cache.folder.iterdir()
    data = bytearray((entry / name).read_bytes())
    if damage == "truncated":
        (entry / name).write_bytes(data[:-8])
    elif damage == "tampered":
        data[len(data) // 2] ^= 1
        (entry / name).write_bytes(data)
    elif damage == "missing":
        (entry / name).unlink()
    else:
        (entry / name).write_bytes(b"")
    assert text_of(prepared(corpus, cache)) == whole
    assert cache.find(entry.name) is not None


def test_hostile_cache_entries_are_ignored(corpus: Path) -> None:
    cache = TokenCache(corpus / "cache")
    prepared(corpus, cache)
    (entry,) = cache.folder.iterdir()
    stored = (entry / token_cache.DESCRIPTION).read_text(encoding="utf-8")
    another = stored.replace('"lowercase": false', '"lowercase": true')
    assert another != stored
    for hostile in (another, "[]", "3", '{"description": 3, "sha256": "x"}', "{", '{"description": {}}'):
        (entry / token_cache.DESCRIPTION).write_text(hostile)
        assert cache.find(entry.name) is None
        prepared(corpus, cache)


def test_tokens_stay_readable_when_another_process_makes_room(corpus: Path) -> None:
    cache = TokenCache(corpus / "cache")
    made = prepared(corpus, cache)
    (entry,) = cache.folder.iterdir()
    for file in entry.iterdir():
        file.unlink()
    assert "".join(text_of(made)) == prose(700)


def test_the_cache_is_bounded_and_drops_the_least_recently_used(corpus: Path) -> None:
    size = 2 * len(prose(700))
    cache = TokenCache(corpus / "cache", limit_bytes=3 * size)
    keys: list[str] = []
    for number in range(2):
        prepared(corpus, cache, validation_split=0.1 + number / 100)
        keys += [path.name for path in cache.folder.iterdir() if path.name not in keys]
    os.utime(cache.folder / keys[0] / token_cache.DESCRIPTION, (1, 1))
    prepared(corpus, cache, validation_split=0.1)  # used again
    os.utime(cache.folder / keys[1] / token_cache.DESCRIPTION, (2, 2))
    prepared(corpus, cache, validation_split=0.3)
    left = {path.name for path in cache.folder.iterdir()}
    assert keys[0] in left
    assert keys[1] not in left
    assert sum(file.stat().st_size for file in cache.folder.rglob("*")) < 4 * size


def test_unfinished_cache_entries_are_deleted_after_a_day(corpus: Path) -> None:
    cache = TokenCache(corpus / "cache")
    old, new = (cache.folder / f".{'a' * 40}.{process}.new" for process in (1, 2))
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (1, 1))
    prepared(corpus, cache)
    assert not old.exists()
    assert new.exists()


def test_two_trainings_prepare_the_same_corpus_at_once(corpus: Path) -> None:
    cache = TokenCache(corpus / "cache")
    barrier = threading.Barrier(2)
    code = (
        "import sys; from pathlib import Path\n"
        "from textgen.corpus.reading.sources import find\n"
        "from textgen.settings.training import TrainingSettings\n"
        "from textgen.training.data.preparation import prepare\n"
        "from textgen.training.data.token_cache import TokenCache\n"
        "folder = Path(sys.argv[1])\n"
        "made = prepare(find(folder), TrainingSettings.from_flags(), cache=TokenCache(folder / 'cache'))\n"
        "print(made.sha256, len(made.training), int(made.training.sum()))\n"
    )

    def run() -> str:
        barrier.wait()
        command = [sys.executable, "-c", code, str(corpus)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(run) for _ in range(2))
        assert first.result() == second.result() != ""
    assert len(list(cache.folder.iterdir())) == 1


def test_a_small_corpus_leaves_no_copy_unless_a_folder_is_named(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(corpus / "home"))
    found = find(corpus)
    assert choose_cache(found) is None
    named = choose_cache(found, corpus / "named")
    assert named is not None
    assert named.folder == corpus / "named"
    monkeypatch.setattr(preparation, "CACHED_FROM_BYTES", 1_000)
    usual = choose_cache(found)
    assert usual is not None
    assert usual.folder == corpus / "home" / "textgen" / "corpora"
    assert usual.folder.stat().st_mode & 0o777 == 0o700
    # A service's home may be read-only: a training goes on without a cache.
    (corpus / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(corpus / "file"))
    assert choose_cache(found) is None


def test_without_a_cache_a_large_corpus_leaves_no_file(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "CACHED_FROM_BYTES", 1_000)
    before = sorted(corpus.iterdir())
    made = prepared(corpus)
    assert not made.training.flags.owndata
    assert "".join(text_of(made)) == prose(700)
    assert sorted(corpus.iterdir()) == before
