"""Between the files of a corpus a base reads the token that it was pretrained with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.textgen.preparing import prepared
from tests.textgen.conftest import prose
from textgen.corpus.reading.sources import ReadingOptions, find
from textgen.pretrained import store
from textgen.settings.training import TrainingSettings
from textgen.training.data.preparation import prepare
from textgen.training.data.prepared_corpus import PreparedCorpus
from textgen.training.data.token_cache import TokenCache

NAMES = ("a.txt", "b.txt", "c.txt")


def folder_of_files(folder: Path) -> Path:
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text(f"{name} begins here.\n\n" + prose(100), encoding="utf-8")
    return folder


def with_base(folder: Path, cache: TokenCache | None = None) -> PreparedCorpus:
    tokenizer = store.find("tiny").tokenizer
    return prepare(
        find(folder), TrainingSettings.from_flags(), options=ReadingOptions(), base=tokenizer, cache=cache
    )


def test_the_start_token_stands_between_files_and_nowhere_else(tmp_path: Path) -> None:
    base = store.find("tiny").tokenizer
    for made in (
        with_base(folder_of_files(tmp_path / "corpus")),
        with_base(tmp_path / "corpus", TokenCache(tmp_path / "cache")),
    ):
        texts: list[list[int]] = [[]]
        for token in (*made.training.tolist(), *made.validation.tolist()):
            if token == base.start:
                texts.append([])
            else:
                texts[-1].append(token)
        begins = [base.decode(np.array(text[:40])) for text in texts]
        assert [begin[: len(name)] for begin, name in zip(begins, NAMES, strict=True)] == list(NAMES)


def test_a_tokenizer_of_ones_own_reads_a_blank_line_between_files(tmp_path: Path) -> None:
    made = prepared(folder_of_files(tmp_path / "corpus"))
    whole = made.tokenizer.decode(np.concatenate([made.training, made.validation]))
    assert whole.count("\n\nb.txt begins here.") == 1
