"""Memorisation: how much of a text stands verbatim in a corpus, exactly and with the corpus in memory.

`textgen.evaluation.copies` is the quick check for samplers; both agree on what occurs by chance.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.corpus import normal_form
from textgen.evaluation.copies import SHORTEST
from textgen.tokenizers.character import code_points

GRAM = SHORTEST
"""Length in characters of the pieces that are looked up."""

_BASE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Memorization:
    """The part of some samples that stands verbatim in a corpus.

    Attributes:
        characters: length of all samples together.
        share: share of their pieces that stand in the corpus, 0 to 1.
        longest: length in characters of the longest run that stands in the corpus.
        longest_run: the text of that run.
    """

    characters: int
    share: float
    longest: int
    longest_run: str


def memorization(samples: Sequence[str], corpus: str) -> Memorization:
    """Compare samples with the corpus that a model was trained on.

    Args:
        samples: texts that the model wrote.
        corpus: the text that it was trained on.
    """
    samples = [normal_form(sample) for sample in samples]
    points = _code_points(normal_form(corpus))
    texts = [_code_points(sample) for sample in samples]
    longest, where, start = _longest(texts, points)
    return Memorization(
        characters=sum(map(len, samples)),
        share=_share(texts, points, GRAM),
        longest=longest,
        longest_run=samples[where][start : start + longest] if longest else "",
    )


def copied_share(samples: Sequence[str], corpus: str, gram: int) -> float:
    """Return the share of the samples' pieces of ``gram`` characters that stand in the corpus, 0 to 1."""
    points = _code_points(normal_form(corpus))
    return _share([_code_points(normal_form(sample)) for sample in samples], points, gram)


def _share(texts: list[npt.NDArray[np.uint64]], corpus: npt.NDArray[np.uint64], gram: int) -> float:
    copied = _copied(texts, corpus, gram)
    return float(copied.mean()) if len(copied) else 0.0


def _longest(texts: list[npt.NDArray[np.uint64]], corpus: npt.NDArray[np.uint64]) -> tuple[int, int, int]:
    """Return length, sample and start of the longest shared run, by bisection over the length.

    If a run of some length is shared, so is a shorter one.
    """
    most = min(len(corpus), max(map(len, texts), default=0))
    length = bisect_left(range(most), True, key=lambda less: not _copied(texts, corpus, less + 1).any())
    if not length:
        return 0, 0, 0
    first = int(np.argmax(_copied(texts, corpus, length)))
    # The runs of all texts lie one after the other.
    ends = np.cumsum([max(0, len(text) - length + 1) for text in texts])
    where = int(np.searchsorted(ends, first, side="right"))
    return length, where, first - (int(ends[where - 1]) if where else 0)


def _copied(
    texts: list[npt.NDArray[np.uint64]], corpus: npt.NDArray[np.uint64], length: int
) -> npt.NDArray[np.bool_]:
    """Return for each run of ``length`` characters, text after text, whether the corpus holds it."""
    # One search for all texts, because the corpus takes most of the time.
    wanted = np.concatenate([np.empty(0, np.uint64), *(_fingerprints(text, length) for text in texts)])
    return np.isin(wanted, _fingerprints(corpus, length))


def _fingerprints(points: npt.NDArray[np.uint64], length: int) -> npt.NDArray[np.uint64]:
    """Return a 64-bit fingerprint of each run of ``length`` characters, by doubling."""
    if len(points) < length:
        return np.empty(0, np.uint64)
    result: npt.NDArray[np.uint64] | None = None
    size, done = 1, 0
    power = _mixed(points)
    # `power` holds the fingerprints of runs of `size`; the sizes in the binary form of `length` are joined.
    while True:
        if length & size:
            piece = power[done : done + len(points) - length + 1]
            result = piece if result is None else _mixed(result * _BASE + piece)
            done += size
        if 2 * size > length:
            break
        power = _mixed(power[:-size] * _BASE + power[size:])
        size *= 2
    assert result is not None  # noqa: S101 -- a length of at least 1 names one
    return result


def _mixed(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    key = (key ^ (key >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    return key ^ (key >> np.uint64(29))


def _code_points(text: str) -> npt.NDArray[np.uint64]:
    return code_points(text).astype(np.uint64) + np.uint64(1)
