"""The Keras layer of each cell. Only training imports this module: it loads Keras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras

from textgen.network.cells.cell import Sizes
from textgen.network.cells.gru.keras_layer import GruNetwork
from textgen.network.cells.linear.keras_layer import LinearNetwork
from textgen.network.cells.lstm.keras_layer import LstmNetwork


class KerasNetwork(Protocol):
    """A whole network as one Keras layer.

    It is called with a list: tokens, shape (batch, time); for each counted model that the sizes name, its
    probabilities, shape (batch, time, vocabulary); if there are several, their confidences, shape (batch,
    time, confidences); if `masks` is above 0, dropout masks, shape (batch,
    masks, units); and perhaps, shape (batch, 1), which texts go on (1) and which begin anew (0). It returns
    logits, shape (batch, time, vocabulary), and assigns the state after the last token to `states`.

    Attributes:
        masks: number of dropout masks that it takes as an input.
        states: the variables that carry the state from one call to the next.
    """

    masks: int
    states: list[keras.Variable]

    @property
    def named(self) -> dict[str, keras.Variable]:
        """The trained variables under their names in `Cell.shapes`, known after the first call."""
        ...

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """Return logits, shape (batch, time, vocabulary)."""
        ...


KERAS_LAYERS: dict[str, Callable[[Sizes, int, int, str], KerasNetwork]] = {
    "linear": LinearNetwork,
    "lstm": LstmNetwork,
    "gru": GruNetwork,
}
"""Each takes the sizes, the number of texts side by side, the random seed, and the type in which matrix
products are computed, "float32" or "bfloat16"."""
