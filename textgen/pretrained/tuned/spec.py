"""The description of a fine-tuned base: which base, and the shapes of what was added to it."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from textgen.argument_checks import check_number, shown
from textgen.errors import BundleError
from textgen.experts.counting import order_for
from textgen.files.bases import LLAMA
from textgen.pretrained.adapter import MAXIMUM_RANK
from textgen.pretrained.spec import KERNELS, LlamaSpec
from textgen.pretrained.tuned.mixture import kinds

CELL = LLAMA
"""What the manifest of such a bundle says in place of a recurrent cell."""

MIXTURE = "mixture"
"""The name of the mixture's weights among the others."""

_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class TunedSpec:
    """A base of Llama's family with low-rank changes of its kernels, mixed with counted n-grams.

    Attributes:
        base: the name that the base had where it was fine-tuned.
        base_sha256: identifies the base (`textgen.pretrained.base.Base.sha256`).
        network: the base's sizes, so that a bundle can be checked without the base.
        rank: columns of each change's first matrix.
        prior: length of the longest n-grams, at least 2.

    Raises:
        BundleError: a value lies outside its bounds.
    """

    base: str
    base_sha256: str
    network: LlamaSpec
    rank: int
    prior: int
    cell: ClassVar[str] = CELL
    experts: ClassVar[tuple[str, ...]] = ()
    """Beside the n-grams it mixes no counted models."""

    def __post_init__(self) -> None:
        """Check every bound."""
        if not isinstance(self.base, str) or not 1 <= len(self.base) <= _LONGEST_NAME:
            raise BundleError(f"the base's name is {shown(self.base)}; it has 1 to {_LONGEST_NAME} letters")
        if not isinstance(self.base_sha256, str) or not _HASH.fullmatch(self.base_sha256):
            raise BundleError(f"the base's SHA-256 is {shown(self.base_sha256)}; it has 64 digits")
        check_number("rank", self.rank, 1, MAXIMUM_RANK, error=BundleError)
        check_number("prior", self.prior, 2, order_for(self.network.vocabulary), error=BundleError)

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return self.network.vocabulary

    @property
    def parameters(self) -> int:
        """Number of trained numbers; the base's own are not among them."""
        return sum(math.prod(shape) for shape in self.shapes().values())

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return each trained weight's name and shape.

        ``layer0.query.down`` and ``layer0.query.up`` are the matrices of `textgen.pretrained.adapter.LowRank`
        for the kernel ``layer0.query``; ``mixture`` holds the network's weight for each kind of position.
        """
        kernels = self.network.shapes()
        shapes: dict[str, tuple[int, ...]] = {}
        for layer in range(self.network.layers):
            for kernel in KERNELS:
                outputs, inputs = kernels[f"layer{layer}.{kernel}"]
                shapes[f"layer{layer}.{kernel}.down"] = inputs, self.rank
                shapes[f"layer{layer}.{kernel}.up"] = self.rank, outputs
        shapes[MIXTURE] = (kinds(self.prior),)
        return shapes

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON data."""
        return dataclasses.asdict(self) | {"network": self.network.to_json()}

    @classmethod
    def describes(cls, data: Any) -> bool:
        """Return whether JSON data is of such a spec, and not of a recurrent network's."""
        return isinstance(data, dict) and "base_sha256" in data

    @classmethod
    def from_json(cls, data: Any) -> TunedSpec:
        """Return the spec that `to_json` described.

        Raises:
            BundleError: the data has other keys, or values outside their bounds.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(data, dict) or set(data) != names:
            unknown = sorted(set(data) ^ names) if isinstance(data, dict) else type(data).__name__
            raise BundleError(f"spec.json differs in {shown(unknown)}; it holds {', '.join(sorted(names))}")
        return cls(**{**data, "network": LlamaSpec.from_json(data["network"])})
