"""Pretrained bases of odd sizes and extreme numbers, read and run by the compiled step.

    python -m tests.faults.tools.hostile_bases FOLDER LIBRARY_FOLDER COUNT SEED

Prints a JSON object: how many were refused, how many wrote text, and other exceptions with their places.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.faults.tools.tally import tally
from tests.support.textgen import bases
from textgen.pretrained import base_bundle
from textgen.pretrained.adapter import LowRank
from textgen.pretrained.base import About, Base
from textgen.pretrained.llama import compiled_step
from textgen.pretrained.llama.compiled_step import CompiledLlamaStepper
from textgen.pretrained.spec import KERNELS, LlamaSpec

_EXTREME = (0.0, -0.0, 1000.0, -1000.0, 1e-45)
_LONGEST = 90


class Maker:
    """Writes one base after another, each of other sizes, and damages some."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._numbers = np.random.default_rng(seed)

    def write(self, folder: Path) -> None:
        """Write a base whose files are sound, and then change bytes of some."""
        draw = self._draw
        heads = draw.choice((1, 2, 3, 4))
        spec = LlamaSpec(
            vocabulary=bases.tokenizer().size,
            layers=draw.randint(1, 2),
            width=heads * 2 * draw.randint(1, 20),
            heads=heads,
            key_value_heads=draw.choice([count for count in (1, 2, 3, 4) if heads % count == 0]),
            inner=draw.randint(1, 70),
            context=draw.choice((2, 3, 8, 40, 256)),
            tied=draw.random() < 0.5,
        )
        weights = {
            name: self._numbers.normal(0, 0.3, shape).astype(np.float32)
            for name, shape in spec.shapes().items()
        }
        for name in draw.sample(sorted(weights), draw.randint(0, 3)):
            weights[name][...] = draw.choice(_EXTREME)
        base_bundle.write(
            folder, About("odd", "made on the spot"), spec, bases.tokenizer(), weights.__getitem__
        )
        if draw.random() < 0.5:
            self._damage(folder)

    def _damage(self, folder: Path) -> None:
        """Overwrite bytes of the weights, whose hash is not compared at each start, or change a size."""
        draw = self._draw
        if draw.random() < 0.3:
            path = folder / base_bundle.ABOUT
            about = json.loads(path.read_text(encoding="utf-8"))
            name = draw.choice(list(about["spec"]))
            about["spec"][name] = draw.choice((0, 1, 2, 3, 64, 2**31, 2**63, True, None))
            path.write_text(json.dumps(about), encoding="utf-8")
            return
        path = folder / base_bundle.WEIGHTS
        data = bytearray(path.read_bytes())
        for _ in range(draw.randint(1, 60)):
            at = draw.randrange(len(data))
            length = draw.choice((1, 4, 64))
            data[at : at + length] = bytes([draw.choice((0, 127, 128, 255))]) * len(data[at : at + length])
        path.write_bytes(bytes(data))

    def adapter(self, spec: LlamaSpec) -> dict[str, LowRank] | None:
        """Return a change of some kernels, each of a rank of its own, or None."""
        if self._draw.random() < 0.4:
            return None
        changes = {}
        for name, shape in spec.shapes().items():
            if name.rpartition(".")[2] in KERNELS and self._draw.random() < 0.7:
                rank = self._draw.randint(1, 9)
                down = self._numbers.normal(0, 1, (shape[1], rank)).astype(np.float32)
                up = self._numbers.normal(0, self._draw.choice((0.1, 1e30)), (rank, shape[0]))
                changes[name] = LowRank(down, up.astype(np.float32))
        return changes

    def run(self, base: Base) -> None:
        """Read prompts and take steps in batches that texts join and leave, past the end of the context."""
        code = compiled_step.library()
        assert code is not None
        code.llama_prepare(self._draw.randint(compiled_step.PLAIN, compiled_step.VNNI))
        stepper = CompiledLlamaStepper(base, self.adapter(base.spec), code)
        for batch in (self._draw.randint(1, 9), 1):
            state = stepper.initial_state(batch)
            for time in (self._draw.randint(1, _LONGEST), 1, 1, self._draw.randint(1, _LONGEST)):
                tokens = self._numbers.integers(0, base.spec.vocabulary, (batch, time)).astype(np.intp)
                stepper.logits(stepper.features(tokens, state))
            stepper.step(self._numbers.integers(0, base.spec.vocabulary, batch).astype(np.intp), state)


def main(folder: Path, library_folder: Path, count: int, seed: int) -> dict[str, object]:
    """Make bases, run them with the library of a folder, and count what came."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    # The library is looked for beside this file.
    compiled_step.__file__ = str(library_folder / "compiled_step.py")
    code = compiled_step.library()
    assert code is not None
    assert Path(code._name).parent == library_folder
    maker = Maker(seed)

    def cases() -> Iterator[Callable[[], None]]:
        for _ in range(count):
            case = folder / "case"
            case.mkdir()
            maker.write(case)
            yield lambda: maker.run(base_bundle.read(folder / "case"))
            shutil.rmtree(case)

    return tally(cases())


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
