"""Mixing in compiled code (`mixing.c`), if a C compiler was installed with the package; else NumPy mixes."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.files import compiled_code

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@functools.cache
def library() -> ctypes.CDLL | None:
    """Return the compiled code, or None if there is none."""
    loaded = compiled_code.load(__file__, "_mixing")
    if loaded is None:
        return None
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    loaded.mixing_mix.restype = None
    loaded.mixing_mix.argtypes = [size, size, pointer, pointer, pointer, size, *[pointer] * 5]
    return loaded


def mix(
    code: ctypes.CDLL,
    found: Floats,
    last: npt.NDArray[np.integer[Any]],
    starts: npt.NDArray[np.int32],
    numerators: Floats,
    rows: Integers,
    index: Integers,
    shares: Floats,
    totals: Floats | None,
) -> None:
    """Do what `textgen.experts.ngram_order.mix` does.

    Args:
        code: the result of `library`.
        found: shape (positions, vocabulary); C-contiguous.
        last: token of each entry.
        starts: first entry of each context, then the number of entries.
        numerators: of each entry; with ``totals`` None, divided by its context's total.
        rows: positions whose context is known.
        index: the context of each of these positions.
        shares: factor of what was found, for each of these positions.
        totals: divisors, for each of these positions, or None.
    """
    # The arrays must live until the call ends.
    rows, index = np.ascontiguousarray(rows, np.int64), np.ascontiguousarray(index, np.int64)
    shares, numerators = np.ascontiguousarray(shares, np.float32), np.ascontiguousarray(numerators)
    last, starts = np.ascontiguousarray(last), np.ascontiguousarray(starts, np.int32)
    divisors = None if totals is None else np.ascontiguousarray(totals, np.float32)
    code.mixing_mix(
        len(rows),
        found.shape[1],
        rows.ctypes.data,
        index.ctypes.data,
        starts.ctypes.data,
        last.itemsize,
        last.ctypes.data,
        numerators.ctypes.data,
        shares.ctypes.data,
        None if divisors is None else divisors.ctypes.data,
        found.ctypes.data,
    )
