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

Cell = Literal["linear", "lstm", "gru"]
CELLS: tuple[str, ...] = get_args(Cell)

MAXIMUM_PARAMETERS = 200_000_000

CONVOLUTION = 4
"""Positions that the short convolution of the cell ``linear`` sees."""

_BOUNDS = {
    "vocabulary": (2, 1_000_000),
    "embedding": (1, 4096),
    "units": (1, 8192),
    "layers": (1, 32),
    "expansion": (0, 16),
    "ngrams": (0, 8),
    "ngram_rows": (0, 4_000_000),
    "ngram_size": (0, 4096),
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
        ngrams: the cell ``linear`` sees the hashed n-grams up to this length; 0 for none.
        ngram_rows: embeddings for each of those lengths.
        ngram_size: their size; they are projected to ``units``.

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
    ngrams: int = 0
    ngram_rows: int = 0
    ngram_size: int = 0

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
        if self.cell != "linear" and (self.expansion or self.ngrams):
            raise SettingsError(f"expansion and ngrams are for the cell linear; the cell is {self.cell}")
        if not (self.ngrams > 1) == (self.ngram_rows > 0) == (self.ngram_size > 0):
            raise SettingsError(
                f"ngrams is {self.ngrams}, ngram_rows {self.ngram_rows} and ngram_size {self.ngram_size}; "
                "all are 0, or ngrams is at least 2 and the others at least 1"
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
    def dense_parameters(self) -> int:
        """Number of those that every step uses: all but the tables from which it takes some rows."""
        shapes = self.shapes()
        return self.parameters - sum(math.prod(shapes.get(name, (0,))) for name in ("embedding", "ngrams"))

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
        if self.ngrams:
            lengths = self.ngrams - 1
            shapes["ngrams"] = (lengths * self.ngram_rows, self.ngram_size)
            shapes["ngram_projection"] = (lengths * self.ngram_size, units)
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
