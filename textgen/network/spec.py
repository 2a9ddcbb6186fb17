"""The description of a network: a bounded schema from which its parameters' shapes follow.

A bundle's ``spec.json`` holds it. The shapes are computed here, without any array, so that a hostile
bundle is refused before memory is allocated for it.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from textgen.argument_checks import check_choice
from textgen.errors import BundleError, SettingsError
from textgen.experts.counting import order_for
from textgen.network.cells.cell import Sizes
from textgen.network.cells.registry import CELLS

MAXIMUM_PARAMETERS = 200_000_000


@dataclass(frozen=True, slots=True)
class NetworkSpec(Sizes):
    """A recurrent language model: embedding, recurrent layers with dropout, an output layer.

    `textgen.network.cells.cell.Sizes` describes its attributes.

    Raises:
        SettingsError: a value lies outside its bounds, the cell cannot be built in these sizes, or the whole
            has more than `MAXIMUM_PARAMETERS`.
    """

    def __post_init__(self) -> None:
        """Check the cell, every bound, and what the cell asks of them."""
        check_choice("the cell", self.cell, CELLS)
        Sizes.__post_init__(self)  # super() knows no class that was made anew with slots
        CELLS[self.cell].check(self)
        if self.prior > order_for(self.vocabulary):
            raise SettingsError(
                f"prior is {self.prior}; for {self.vocabulary:,} tokens it can be up to "
                f"{order_for(self.vocabulary)}"
            )
        if self.parameters > MAXIMUM_PARAMETERS:
            raise SettingsError(
                f"this network has {self.parameters:,} parameters; at most {MAXIMUM_PARAMETERS:,} fit"
            )

    @property
    def parameters(self) -> int:
        """Number of trainable numbers."""
        return sum(math.prod(shape) for shape in self.shapes().values())

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return each parameter's name and shape, in the order of the network."""
        return CELLS[self.cell].shapes(self)

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON data."""
        data = dataclasses.asdict(self)
        if not self.experts:
            # Earlier versions do not know the key.
            del data["experts"]
        return data

    @classmethod
    def from_json(cls, data: Any) -> NetworkSpec:
        """Return the spec that `to_json` described.

        Raises:
            BundleError: the data has other keys, or values outside their bounds.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(data, dict) or not set(data) <= names:
            unknown = sorted(set(data) - names) if isinstance(data, dict) else type(data).__name__
            raise BundleError(f"spec.json holds {unknown}; it can hold {', '.join(sorted(names))}")
        try:
            return cls(**data)
        except (SettingsError, TypeError) as error:
            raise BundleError(f"spec.json: {error}") from None
