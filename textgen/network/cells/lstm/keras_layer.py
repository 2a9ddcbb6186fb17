"""The cell ``lstm`` in Keras."""

from __future__ import annotations

import keras

from textgen.network.cells.stacked.keras_layer import StackedNetwork


class LstmNetwork(StackedNetwork):
    """A stack of LSTM layers; each carries h and c."""

    layer = keras.layers.LSTM
    states_a_layer = 2
