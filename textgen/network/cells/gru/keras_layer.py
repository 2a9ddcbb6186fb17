"""The cell ``gru`` in Keras."""

from __future__ import annotations

import keras

from textgen.network.cells.stacked.keras_layer import StackedNetwork


class GruNetwork(StackedNetwork):
    """A stack of GRU layers; each carries h."""

    layer = keras.layers.GRU
    states_a_layer = 1
