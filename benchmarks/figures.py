"""A measured figure and its bound. `textgen.benchmark` has the code that measures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

BUNDLE_TRAINING_S = 15


class Figure(NamedTuple):
    """A measured value and its bound.

    Attributes:
        name: what was measured.
        value: the measured number.
        unit: of the value and the bound.
        bound: as "≤ 0.5", or "" where there is none.
    """

    name: str
    value: float
    unit: str
    bound: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bound holds, or None without one."""
        if not self.bound:
            return None
        relation, limit = self.bound.split()
        return self.value <= float(limit) if relation == "≤" else self.value >= float(limit)


def trained_bundle(root: Path) -> Path:
    """Return a model trained for `BUNDLE_TRAINING_S` below ``root``, beside its corpus (Shakespeare)."""
    data, bundle = root / "corpus", root / "bundle"
    subprocess.run([sys.executable, "-m", "textgen", "corpus", "shakespeare", str(data)], check=True)
    command = ["-m", "textgen", "train", "--data-dir", str(data), "--output", str(bundle), "--events"]
    command += ["--time-limit", str(BUNDLE_TRAINING_S)]
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return bundle
