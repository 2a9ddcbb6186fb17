"""500 flipped bits and cuts of checkpoints and bundles: each is found, within a second and 250 MB.

Found means refused in one line, or, for a checkpoint, answered with the whole generation before.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from tests.support.memory import peak_bytes
from tests.support.textgen.bundles import write_random_bundle
from textgen import bundle
from textgen.errors import TextgenError
from textgen.files import bundle_files

MINUTES = 1.0
_CUT_OF_FIVE = 1


@dataclass
class _Found:
    """What came of damaged files."""

    tried: int = 0
    silent: int = 0
    slowest_s: float = 0.0

    def add(self, read: Callable[[], bool]) -> None:
        """Read a damaged file; `read` says whether what came is whole."""
        begun = time.perf_counter()
        try:
            whole = read()
        except TextgenError as error:
            whole = "\n" not in str(error)
        self.slowest_s = max(self.slowest_s, time.perf_counter() - begun)
        self.tried += 1
        self.silent += not whole

    def figures(self, what: str, kib: int) -> Iterator[Figure]:
        """Yield the figures."""
        yield Figure(f"{self.tried} damaged {what}: not found", self.silent, "", "≤ 0")
        yield Figure(f"damaged {what}: slowest answer", self.slowest_s, "s", "≤ 1")
        yield Figure(f"damaged {what}: memory", kib / 1024, "MiB", "≤ 250")


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Damage bundles first: what reads them has not loaded Keras."""
    draw = random.Random(time.time_ns())
    yield from _bundles(folder, draw, 40 if short else 250)
    yield from _checkpoints(folder, draw, 40 if short else 250)


def _bundles(folder: Path, draw: random.Random, count: int) -> Iterator[Figure]:
    found = _Found()
    for cell in ("linear", "lstm"):
        path = folder / cell
        write_random_bundle(path, cell)
        bundle.read(path)
        for number in range(count // 2):
            # The manifest lists the others' hashes and has none itself: it can be cut, but not flipped.
            cut = number % 5 == _CUT_OF_FIVE
            files = [file for file in sorted(path.iterdir()) if cut or file.name != bundle_files.MANIFEST]
            file = draw.choice(files)
            good = file.read_bytes()
            file.write_bytes(_damaged(good, draw, cut=cut))
            found.add(lambda path=path: bundle.read(path) is None)
            file.write_bytes(good)
    yield from found.figures("bundles", peak_bytes() // 1024)


def _checkpoints(folder: Path, draw: random.Random, count: int) -> Iterator[Figure]:
    from textgen.training import backend

    backend.load()
    import keras

    from textgen.training.checkpoints import checkpoint, checkpoint_file
    from textgen.training.checkpoints.progress import Progress

    path = checkpoint_file.path_for(folder / "model")
    fingerprint = {"corpus": "0" * 64, "units": 32}
    numbers = np.random.default_rng(1)
    generations: list[list[np.ndarray]] = []
    variables = [keras.Variable(np.zeros(shape, np.float32)) for shape in ((64, 32), (32,), (32, 96))]
    for step in (100, 200):
        for variable in variables:
            variable.assign(numbers.normal(size=variable.shape).astype(np.float32))
        best = {"weights": numbers.normal(size=(64, 32)).astype(np.float32)}
        checkpoint.save(path, variables, Progress(step=step), best, fingerprint)
        generations.append([*checkpoint.values(variables), best["weights"]])
    good = path.read_bytes()

    def restored() -> bool:
        for variable in variables:
            variable.assign(np.zeros(variable.shape, np.float32))
        kept = checkpoint.restore(path, variables, fingerprint)
        arrays = [*checkpoint.values(variables), kept[1]["weights"]]
        (which,) = [i for i, whole in enumerate(generations) if all(map(np.array_equal, arrays, whole))] or [
            -1
        ]
        return which >= 0 and kept[0].step == (which + 1) * 100

    assert restored()
    before = peak_bytes() // 1024
    found = _Found()
    for number in range(count):
        path.write_bytes(_damaged(good, draw, cut=number % 5 == _CUT_OF_FIVE))
        found.add(restored)
    path.write_bytes(good)
    assert restored()
    yield from found.figures("checkpoints", peak_bytes() // 1024 - before)


def _damaged(good: bytes, draw: random.Random, *, cut: bool) -> bytes:
    if cut:
        # Without the line break at its end a file of JSON is still whole.
        return good[: draw.randrange(len(good.rstrip()))]
    data = bytearray(good)
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)
