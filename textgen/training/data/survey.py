"""Measures of a corpus: length, hash, line starts, and what a user should know about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from textgen import corpus
from textgen.corpus.one_item_a_line import ItemLines
from textgen.corpus.reading.sources import Sources
from textgen.errors import CorpusError
from textgen.tokenizers.character import count_symbols

SHORTEST_VALIDATION = 100
"""Length of the shortest validation file, in characters."""


class Survey:
    """Measures a text while a tokenizer is trained on it, so that it is read once.

    Args:
        own_validation: whether the validation text is the end of the corpus, and no file of its own.

    Attributes:
        characters: length of the training text so far.
        held_out: length of the validation text so far.
        digest: SHA-256 of the training text so far, in UTF-8.
        starts: line starts of the training text.
        items: fingerprints of the lines of a text with one item a line, once `notes` was called; None for
            other texts.
    """

    def __init__(self, *, own_validation: bool) -> None:
        """Start before the first character."""
        self.characters = self.held_out = 0
        self.digest = hashlib.sha256()
        self.starts = corpus.LineStarts()
        self.items: list[int] | None = None
        self._lines = ItemLines()
        self._measurer = corpus.Measurer(count_symbols)
        self._own_validation = own_validation

    def watch(self, parts: Iterable[tuple[bool, str]]) -> Iterator[str]:
        """Measure each part and yield those of the training text; at the end, check its measures.

        Args:
            parts: the text; of each part, whether it is held out for validation.

        Raises:
            CorpusError: the training text is too short, or not text.
        """
        for held_out, text in parts:
            self._lines.add(text, only_known=held_out)
            if self._own_validation or not held_out:
                self._measurer.add(text)
            if held_out:
                self.held_out += len(text)
                continue
            self.characters += len(text)
            self.digest.update(text.encode("utf-8", "surrogatepass"))
            self.starts.add(text)
            yield text
        corpus.check_stats(self._measurer.stats())

    def notes(self, sources: Sources, chat_log: str | None) -> list[str]:
        """Return what a user should know.

        Raises:
            CorpusError: the validation text is too short.
        """
        notes = []
        if sources.validation:
            if self.held_out < SHORTEST_VALIDATION:
                raise CorpusError(
                    f"{sources.validation} has {self.held_out} characters; "
                    f"at least {SHORTEST_VALIDATION} are needed"
                )
        elif self.held_out < SHORTEST_VALIDATION // 2:
            raise CorpusError(
                f"the end of the text that is held out has {self.held_out} characters; at least "
                f"{SHORTEST_VALIDATION} are needed: give more text, or a validate.txt",
                advice=["give a larger --validation-split"],
            )
        else:
            notes.append(f"the last {self.held_out:,} characters are held out for validation")
        if self._lines.found():
            self.items = sorted(self._lines.known)
            notes.append(
                "the text is one item a line: samples begin a line of their own, and lines that stand in the "
                "text are drawn again"
            )
        stats = self._measurer.stats()
        kind = stats.suspected_chat_log or chat_log
        if kind:
            notes.append(f"the text looks like {kind}: train on it only if its authors agreed")
        if stats.suspected_secrets:
            found = ", ".join(stats.suspected_secrets)
            notes.append(f"the text seems to hold {found}: what is trained on can be written")
        return notes
