"""A fine-tuned change of a base: two thin matrices for each kernel that is changed (LoRA, Hu et al. 2021)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.pretrained.spec import KERNELS, LlamaSpec

MAXIMUM_RANK = 256

_NAME = re.compile(rf"layer[0-9]{{1,3}}\.(?:{'|'.join(KERNELS)})")


@dataclass(frozen=True, slots=True)
class LowRank:
    """The change of one kernel: ``(x down) up`` is added to the kernel's output for x.

    Attributes:
        down: LoRA's A, shape (inputs, rank), 32-bit floats.
        up: LoRA's B with its scale multiplied in, shape (rank, outputs), 32-bit floats.
    """

    down: npt.NDArray[np.float32]
    up: npt.NDArray[np.float32]


Adapter = Mapping[str, LowRank]
"""Changes under the names of `LlamaSpec.shapes`; kernels without one stay as they are."""


def check_adapter(adapter: Adapter, spec: LlamaSpec) -> None:
    """Refuse changes that do not fit a base.

    Raises:
        BundleError: a name, shape or type is wrong, or a number is not finite.
    """
    shapes = spec.shapes()
    for name, change in adapter.items():
        if name not in shapes or not _NAME.fullmatch(name):
            raise BundleError(f"the adapter changes {name!r:.60}, which is no kernel of its base")
        outputs, inputs = shapes[name]
        rank = change.down.shape[-1] if change.down.ndim == 2 else 0
        fits = change.down.shape == (inputs, rank) and change.up.shape == (rank, outputs)
        if not fits or not 1 <= rank <= MAXIMUM_RANK:
            raise BundleError(
                f"the adapter's matrices for {name} have the shapes {change.down.shape} and "
                f"{change.up.shape}; they must be ({inputs}, rank) and (rank, {outputs}), "
                f"with a rank of 1 to {MAXIMUM_RANK}"
            )
        for matrix in (change.down, change.up):
            if matrix.dtype != np.float32 or not np.isfinite(matrix).all():
                raise BundleError(f"the adapter's matrices for {name} are not finite 32-bit floats")
