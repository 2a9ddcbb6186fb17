"""Finds verbatim copies of a corpus in a text, with an index that is small and built quickly.

The index holds a fingerprint of each n bytes of the corpus, one after another. A copied run of 2 n bytes
contains at least one of these pieces as a whole, so every such run is found. The index of a corpus of 10 MB
takes 5 MB, and the corpus stays on disk. The comparison ignores the case of ASCII letters, and all white
space is equal, so a copy with other line breaks is still found.

Serving uses this module, so it must not import Keras.
"""

from __future__ import annotations

import mmap
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from textgen.corpus import normal_form

SHORTEST = 20
"""Shorter runs, in characters, occur by chance and are not reported."""

INDEX_BYTES = 24 << 20
"""Memory for cached indices; the least recently used index is dropped first."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_READ_AT_ONCE = 1 << 20
_MOST_PLACES = 64
_MOST_DIAGONALS = 2_000

_ALIKE = bytes(range(256)).lower().translate(bytes.maketrans(b"\t\n\r\x0b\x0c", b"     "))


@dataclass(frozen=True, slots=True)
class CopyIndex:
    """The fingerprints of a corpus.

    Attributes:
        path: file of the corpus, in UTF-8.
        longest: runs of up to this number of characters are allowed.
        gram: length in bytes of the pieces that have a fingerprint.
        fingerprints: sorted, shape (pieces,).
        places: number of the piece of each fingerprint, same shape.
    """

    path: Path
    longest: int
    gram: int
    fingerprints: npt.NDArray[np.uint64]
    places: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, path: Path, longest: int) -> CopyIndex:
        """Index a corpus.

        Raises:
            OSError: it cannot be read.
        """
        longest = max(longest, SHORTEST)
        gram = _gram(longest)
        at_once = max(1, _READ_AT_ONCE // gram) * gram
        parts = [np.empty(0, np.uint64)]
        with path.open("rb") as corpus:
            while piece := corpus.read(at_once):
                steps = len(piece) // gram
                read = np.frombuffer(piece.translate(_ALIKE), np.uint8, steps * gram).reshape(steps, gram)
                parts.append(_mixed([read[:, column] for column in range(gram)]))
        fingerprints = np.concatenate(parts)
        order = np.argsort(fingerprints, kind="stable").astype(np.uint32)
        return cls(path, longest, gram, fingerprints[order], order)

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return self.fingerprints.nbytes + self.places.nbytes

    def longest_copy(self, text: str) -> int:
        """Return the length in characters of the longest run that stands in the corpus; 0 if it is allowed.

        Raises:
            OSError: the corpus cannot be read any more.
        """
        best = max(self._runs(text), default=0)
        return best if best > self.longest else 0

    def repeats(self, text: str) -> bool:
        """Whether a longer run than is allowed stands in the corpus; quicker than to find the longest.

        Raises:
            OSError: the corpus cannot be read any more.
        """
        return any(run > self.longest for run in self._runs(text))

    def _runs(self, text: str) -> Iterator[int]:
        """Yield the length of the longest run at each offset between text and corpus that may have one."""
        written = normal_form(text).encode(errors="replace").translate(_ALIKE)
        if len(written) <= self.longest or not len(self.fingerprints):
            return
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as corpus:
            for shift in self._shifts(written):
                yield _longest_run(written, corpus, shift)

    def _shifts(self, written: bytes) -> list[int]:
        """Return the offsets between text and corpus at which pieces agree, the most frequent first."""
        read = np.frombuffer(written, np.uint8)
        count = len(read) - self.gram + 1
        asked = _mixed([read[column : column + count] for column in range(self.gram)])
        first = np.searchsorted(self.fingerprints, asked, "left")
        found = np.minimum(np.searchsorted(self.fingerprints, asked, "right") - first, _MOST_PLACES)
        at = np.repeat(np.arange(count), found)
        nth = np.arange(len(at)) - np.repeat(np.cumsum(found) - found, found)
        places = self.places[np.repeat(first, found) + nth].astype(np.int64) * self.gram
        shifts, support = np.unique(places - at, return_counts=True)
        return [int(shift) for shift in shifts[np.argsort(-support)][:_MOST_DIAGONALS]]


class CopyIndices:
    """A cache of the indices that were used last."""

    def __init__(self) -> None:
        """Start with an empty cache."""
        self._kept: OrderedDict[tuple[str, int], CopyIndex] = OrderedDict()
        # The thread that builds an index is not the one that uses it.
        self._lock = threading.Lock()

    def holds(self, corpus: str, longest: int) -> bool:
        """Return whether the index of this corpus is cached."""
        return (corpus, _gram(longest)) in self._kept

    def watched(self, corpus: str, longest: int) -> WatchedCorpus:
        """Return what compares a text with a corpus while it is written.

        Raises:
            OSError: the corpus cannot be read.
        """
        return WatchedCorpus(self._index(corpus, longest))

    def longest_copy(self, text: str, corpus: str, longest: int) -> int:
        """Return the result of `CopyIndex.longest_copy`; 0 if the corpus has been deleted."""
        try:
            return self._index(corpus, longest).longest_copy(text)
        except (OSError, ValueError):
            with self._lock:
                self._kept.pop((corpus, _gram(longest)), None)
            return 0

    def _index(self, corpus: str, longest: int) -> CopyIndex:
        key = corpus, _gram(longest)
        with self._lock:
            known = self._kept.get(key)
        index = known or CopyIndex.of(Path(corpus), longest)
        with self._lock:
            self._kept[key] = index
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(kept.size for kept in self._kept.values()) > INDEX_BYTES:
                self._kept.popitem(last=False)
        return replace(index, longest=max(longest, SHORTEST))


@dataclass(frozen=True, slots=True)
class WatchedCorpus:
    """A corpus that texts must not repeat (`textgen.sampling.novelty`). If it is deleted, they may."""

    index: CopyIndex

    @property
    def longest(self) -> int:
        """Characters of a passage that is allowed."""
        return self.index.longest

    def repeats(self, text: str) -> bool:
        """Return the result of `CopyIndex.repeats`."""
        try:
            return self.index.repeats(text)
        except (OSError, ValueError):
            return False


def _gram(longest: int) -> int:
    """Return the length in bytes of the pieces of an index.

    A run that is a byte longer than ``longest``, or just as long, contains one whole piece. So limits that
    differ by one may share an index.
    """
    return (max(longest, SHORTEST) + 1) // 2


def _mixed(columns: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint64]:
    """Return a 64-bit fingerprint of each row."""
    key = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        key *= _BASE
        key += column
        key ^= key >> np.uint64(29)
    return key


def _longest_run(written: bytes, corpus: mmap.mmap, shift: int) -> int:
    """Return the length in characters of the longest equal run of text and corpus at one offset."""
    begin = max(0, -shift)
    beneath = corpus[shift + begin : shift + len(written)].translate(_ALIKE)
    upper = np.frombuffer(written, np.uint8)[begin : begin + len(beneath)]
    same = np.concatenate([[False], upper == np.frombuffer(beneath, np.uint8), [False]])
    ends = np.flatnonzero(same[1:] != same[:-1])
    if not len(ends):
        return 0
    starts, stops = ends[::2], ends[1::2]
    longest = int(np.argmax(stops - starts))
    run = upper[starts[longest] : stops[longest]]
    # Continuation bytes of UTF-8 do not start a character.
    return int((run & 0xC0 != 0x80).sum())
