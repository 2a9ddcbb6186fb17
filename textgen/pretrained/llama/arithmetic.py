"""The operations of a step whose results must be the same to the bit in NumPy and in C (`llama.c`).

Sums are folded: the upper half of the terms is added to the lower half, until one is left. Both NumPy and
vector instructions do that in the same order.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float32, Float64
from textgen.pretrained.base import Matrix

Int16 = npt.NDArray[np.int16]
_Floats = TypeVar("_Floats", Float32, Float64)

_LARGEST_SUM = 2**31 - 1
_LARGEST_WEIGHT = 128
_LARGEST_ACTIVATION = 32_767

_ROWS_AT_ONCE = 1 << 20
"""Weights that are widened to 64 bits at a time."""

_LOG2_E = 1.4426950408889634
_ROUNDING = 6755399441055744.0  # added and subtracted, it leaves the nearest whole number
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_TAYLOR = (
    *(2.50521083854417187751e-08, 2.75573192239858906526e-07, 2.75573192239858906526e-06),
    *(2.48015873015873015873e-05, 1.98412698412698412698e-04, 1.38888888888888888889e-03),
    *(8.33333333333333333333e-03, 4.16666666666666666667e-02, 1.66666666666666666667e-01, 0.5, 1.0, 1.0),
)


def largest_activation(inputs: int) -> int:
    """Return the largest whole number of an activation, so that a sum of ``inputs`` products fits 32 bits."""
    return min(_LARGEST_ACTIVATION, _LARGEST_SUM // (_LARGEST_WEIGHT * inputs))


def quantize(x: Float64) -> tuple[Int16, Float64]:
    """Round each row to whole numbers.

    Args:
        x: shape (rows, inputs).

    Returns:
        Whole numbers, shape (rows, inputs), and the scale of each row, shape (rows,).
    """
    largest = largest_activation(x.shape[1])
    peaks = np.abs(x).max(axis=1)
    inverse = np.divide(largest, peaks, out=np.zeros_like(peaks), where=peaks > 0)
    return np.rint(x * inverse[:, None]).astype(np.int16), peaks / largest


def product(numbers: Int16, scales: Float64, matrix: Matrix) -> Float64:
    """Return the product of quantized rows and a kernel, shape (rows, outputs).

    In 64-bit floats the sums are exact, so the library that adds them may choose its order.
    """
    wide = numbers.astype(np.float64)
    found = np.empty((len(numbers), len(matrix.rows)))
    at_once = max(1, _ROWS_AT_ONCE // matrix.rows.shape[1])
    for first in range(0, len(matrix.rows), at_once):
        rows = matrix.rows[first : first + at_once].astype(np.float64)
        np.matmul(wide, rows.T, out=found[:, first : first + at_once])
    found *= scales[:, None] * matrix.scales.astype(np.float64)
    return found


def folded(terms: _Floats, axis: int) -> _Floats:
    """Return the sum over an axis, which is removed; the terms are overwritten."""
    terms = np.moveaxis(terms, axis, 0)
    count = len(terms)
    while count > 1:
        half = (count + 1) // 2
        terms[: count - half] += terms[half:count]
        count = half
    total: _Floats = terms[0]
    return total


def normalize(x: Float64, scale: Float32, epsilon: float) -> Float64:
    """Return RMSNorm of each row, shape (rows, width)."""
    means = folded(x * x, 1) / x.shape[1]
    inverse = 1.0 / np.sqrt(means + epsilon)
    result: Float64 = x * inverse[:, None] * scale.astype(np.float64)
    return result


def exponential(x: Float64) -> Float64:
    """Return e to the power of x for x of at most 700, to the last bit or two.

    2^n times a polynomial around 0 (its Taylor series). Libraries differ in the last bit; this does not.
    """
    x = np.clip(x, -700.0, 700.0)
    n = x * _LOG2_E + _ROUNDING - _ROUNDING
    r = x - n * _LN2_HIGH
    r -= n * _LN2_LOW
    p = np.full_like(r, 2.08767569878680989792e-09)
    for coefficient in _TAYLOR:
        p = p * r + coefficient
    return np.ldexp(p, n.astype(np.int32))


def silu(x: Float64) -> Float64:
    """Return x times its sigmoid."""
    return x * (1.0 / (1.0 + exponential(-x)))
