"""How fast one core multiplies, reads memory and writes text. `python -m` prints the figures as JSON.

The process should have one thread, like a sampler: OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import json
import sys
import time
import timeit
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from textgen.benchmark.processes import median_of
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

STREAMS = 32

_SIDE = 1024
_READ_BYTES = 256 << 20
_LENGTH = 500


def gemm_gflops(kind: npt.DTypeLike) -> float:
    """Return the speed of a product of two square matrices, in 10^9 operations a second."""
    left, right = (np.full((_SIDE, _SIDE), 0.5, kind) for _ in range(2))
    out = np.empty_like(left)
    return 2 * _SIDE**3 / _shortest(lambda: np.dot(left, right, out=out)) / 1e9


def memory_gigabytes(threads: int = 1) -> float:
    """Return the speed of matrix-vector products, which memory limits, in 10^9 bytes a second."""
    rows = _READ_BYTES // (4 * _SIDE)
    parts = np.array_split(np.ones((rows, _SIDE), np.float32), threads)
    vector = np.ones(_SIDE, np.float32)
    with ThreadPoolExecutor(threads) as pool:
        shortest = _shortest(lambda: list(pool.map(lambda part: part.dot(vector), parts)))
    return _READ_BYTES / shortest / 1e9


def characters_a_second(model: TextModel, streams: int, length: int = _LENGTH) -> float:
    """Return the characters a second that a model writes, all streams together."""
    engine = model.engine()
    for number in range(streams):
        engine.submit(model.request("\n", SamplingSettings(length, 0.7, number))[0])
    begun = time.monotonic()
    while not engine.idle:
        engine.step()
    return streams * length / (time.monotonic() - begun)


def measure(model: TextModel) -> dict[str, float]:
    """Return the figures under the keys of `textgen.benchmark.report.ROWS`."""
    return {
        "gemm_float32_gflops": gemm_gflops(np.float32),
        "gemm_float64_gflops": gemm_gflops(np.float64),
        "memory_gb_s": memory_gigabytes(),
        "characters_s_one": median_of(lambda: characters_a_second(model, 1, 4 * _LENGTH)),
        "characters_s_32": median_of(lambda: characters_a_second(model, STREAMS)),
    }


def _shortest(call: Callable[[], object]) -> float:
    """Return the seconds of the fastest of several calls, after one call to warm up."""
    call()
    return min(timeit.repeat(call, number=1))


if __name__ == "__main__":
    print(json.dumps(measure(TextModel.load(Path(sys.argv[1])))))  # noqa: T201 -- a program of its own
