"""Columns of small whole numbers, coded by how often each comes: what makes the counts fit into a page.

A column is a list of numbers, each with a *context*: a small number that its reader knows beforehand and that
says something about it. Each context has a table of frequencies. The numbers are coded with asymmetric
numeral systems (Duda 2013, "Asymmetric numeral systems"; the form with 32-bit states that is known as
rANS) in `LANES` states that take turns, so that NumPy encodes a row at a time. ``static/columns.js`` is the
reader.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LANES = 128
PRECISION = 11
"""Frequencies of a context sum up to 2 to this power. More would make no page smaller, but its tables larger
than a processor's cache."""

_WHOLE = 1 << PRECISION
_LOWEST = 1 << 16
_Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Column:
    """A coded column.

    Attributes:
        direct: numbers below it are symbols. Of a larger one the length in bits is a symbol, and its bits
            lie apart.
        frequencies: of each symbol in each context, shape (contexts, symbols).
        states: at the beginning of reading, shape (LANES,).
        words: what the reader takes in when a state has become small, shape (words,).
        bits: the bits of large numbers, shape (bytes,).
    """

    direct: int
    frequencies: npt.NDArray[np.uint16]
    states: npt.NDArray[np.uint32]
    words: npt.NDArray[np.uint16]
    bits: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, values: npt.NDArray[np.integer], contexts: npt.NDArray[np.integer], direct: int) -> Column:
        """Code a column.

        Args:
            values: the numbers, at least 0 and below 2 ** 31; shape (numbers,).
            contexts: of each number, same shape.
            direct: numbers below it come often and have a frequency each.
        """
        numbers, known = values.astype(np.int64), contexts.astype(np.int64)
        large = numbers >= direct
        rest = np.where(large, numbers - direct + 1, 1)
        lengths = np.frexp(rest.astype(np.float64))[1].astype(np.int64) - 1
        symbols = np.where(large, direct + lengths, numbers)
        width = int(symbols.max(initial=0)) + 1
        rows = int(known.max(initial=0)) + 1
        counted = np.bincount(known * width + symbols, minlength=rows * width).reshape(rows, width)
        frequencies = np.stack([_scaled(row) for row in counted])
        begins = frequencies.cumsum(axis=1) - frequencies
        states, words = _coded(frequencies[known, symbols], begins[known, symbols])
        return cls(direct, frequencies.astype(np.uint16), states, words, _bits(rest, lengths))


def _scaled(counted: _Integers) -> _Integers:
    """Return frequencies that sum up to the whole; what came at all keeps at least 1."""
    total = int(counted.sum())
    if not total:
        return counted
    scaled = np.where(counted > 0, np.maximum(1, counted * _WHOLE // total), 0)
    over = int(scaled.sum()) - _WHOLE
    while over:
        # The most frequent ones lose, or gain, least by it.
        place = int(scaled.argmax())
        change = min(over, int(scaled[place]) // 2) if over > 0 else over
        scaled[place] -= change
        over -= change
    return scaled


def _coded(
    frequencies: _Integers, begins: _Integers
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16]]:
    """Code symbols from the last to the first, so that a reader gets them from the first to the last."""
    frequency, begin = frequencies.astype(np.uint64), begins.astype(np.uint64)
    states = np.full(LANES, _LOWEST, np.uint64)
    words: list[npt.NDArray[np.uint16]] = []
    for first in reversed(range(0, len(frequency), LANES)):
        share, start = frequency[first : first + LANES], begin[first : first + LANES]
        state = states[: len(share)]
        full = state >= share << np.uint64(32 - PRECISION)
        words.append(state[full].astype(np.uint16))
        state[full] >>= np.uint64(16)
        state[:] = (state // share << np.uint64(PRECISION)) + state % share + start
    words.reverse()
    return states.astype(np.uint32), np.concatenate([np.zeros(0, np.uint16), *words])


def _bits(rest: _Integers, lengths: _Integers) -> npt.NDArray[np.uint8]:
    """Return the bits below the highest one of each number, the lowest bit first."""
    owners = np.repeat(np.arange(len(rest)), lengths)
    places = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.packbits(((rest[owners] >> places) & 1).astype(np.uint8), bitorder="little")
