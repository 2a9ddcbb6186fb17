"""The description of a network: a bounded schema from which its parameters' shapes follow.

A bundle's ``spec.json`` is this. The shapes are computed here, without any array, so that a
hostile bundle is refused before memory is allocated for it.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from textgen.errors import BundleError, SettingsError
from textgen.experts.kneser_ney import HIGHEST_ORDER, order_for

Cell = Literal["linear", "lstm", "gru"]
CELLS: tuple[str, ...] = get_args(Cell)

MAXIMUM_PARAMETERS = 200_000_000

CONVOLUTION = 4
"""Positions that the short convolution of the cell ``linear`` sees."""

LARGEST_FED = 1024
"""Up to so many tokens, what the n-grams expect of each is an input of the network."""

_BOUNDS = {
    "vocabulary": (2, 1_000_000),
    "embedding": (1, 4096),
    "units": (1, 8192),
    "layers": (1, 32),
    "expansion": (0, 16),
    "prior": (0, HIGHEST_ORDER),
}
_GATES = {"lstm": 4, "gru": 3}


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A recurrent language model: embedding, recurrent layers with dropout, an output layer.

    Attributes:
        cell: kind of the recurrent layers.
        vocabulary: number of tokens.
        embedding: size of a token's vector.
        units: size of each recurrent layer's output.
        layers: number of recurrent layers.
        dropout: share of a layer's outputs that are zeroed in training.
        expansion: width of the perceptron in each layer of the cell ``linear``, as a multiple of
            ``units``; 0 leaves it out.
        prior: the cell ``linear`` starts from what counted n-grams up to this length expect
            (`textgen.experts.kneser_ney`); 0 for none.

    Raises:
        SettingsError: a value lies outside its bounds, or the whole has more than `MAXIMUM_PARAMETERS`.
    """

    cell: Cell
    vocabulary: int
    embedding: int = 64
    units: int = 128
    layers: int = 2
    dropout: float = 0.2
    expansion: int = 0
    prior: int = 0

    def __post_init__(self) -> None:
        """Check every bound."""
        if self.cell not in CELLS:
            raise SettingsError(f"the cell is {self.cell!r}; it can be {', '.join(CELLS)}")
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise SettingsError(f"{name} is {value!r}; it must be a whole number from {low} to {high:,}")
        if not isinstance(self.dropout, int | float) or not 0 <= self.dropout < 1:
            raise SettingsError(f"dropout is {self.dropout!r}; it must be at least 0 and less than 1")
        if self.cell == "linear" and self.embedding != self.units:
            raise SettingsError(
                f"embedding is {self.embedding} and units {self.units}; in the cell linear they are equal"
            )
        if self.cell != "linear" and (self.expansion or self.prior):
            raise SettingsError(f"expansion and prior are for the cell linear; the cell is {self.cell}")
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

    @property
    def feeds_prior(self) -> bool:
        """Whether the network sees what the n-grams expect: with many tokens it would cost too much."""
        return self.prior > 0 and self.vocabulary <= LARGEST_FED

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return each parameter's name and shape, in the order of the network."""
        if self.cell == "linear":
            return self._linear_shapes()
        shapes: dict[str, tuple[int, ...]] = {"embedding": (self.vocabulary, self.embedding)}
        width = self.embedding
        gates = _GATES[self.cell] * self.units
        for layer in range(self.layers):
            shapes[f"layer{layer}.kernel"] = (width, gates)
            shapes[f"layer{layer}.recurrent_kernel"] = (self.units, gates)
            # Keras' GRU adds a second bias inside its reset gate ("reset_after").
            shapes[f"layer{layer}.bias"] = (gates,) if self.cell == "lstm" else (2, gates)
            width = self.units
        shapes["output.kernel"] = (width, self.vocabulary)
        shapes["output.bias"] = (self.vocabulary,)
        return shapes

    def _linear_shapes(self) -> dict[str, tuple[int, ...]]:
        units = self.units
        shapes: dict[str, tuple[int, ...]] = {"embedding": (self.vocabulary, units)}
        for layer in range(self.layers):
            shapes |= {
                f"layer{layer}.norm": (units,),
                f"layer{layer}.input": (units, 3 * units),
                f"layer{layer}.convolution": (CONVOLUTION, units),
                f"layer{layer}.forget_bias": (units,),
                f"layer{layer}.output": (units, units),
            }
            if self.expansion:
                inner = self.expansion * units
                shapes |= {
                    f"layer{layer}.mlp_norm": (units,),
                    f"layer{layer}.mlp_input": (units, 2 * inner),
                    f"layer{layer}.mlp_output": (inner, units),
                }
        if self.feeds_prior:
            shapes["prior.input"] = (self.vocabulary, units)
        if self.prior:
            shapes |= {"prior.gate": (units, 1), "prior.bias": (1,)}
        return shapes | {
            "norm": (units,),
            "output.kernel": (units, self.vocabulary),
            "output.bias": (self.vocabulary,),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON data."""
        return dataclasses.asdict(self)

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
