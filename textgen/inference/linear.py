"""The cell ``linear``, one step at a time in NumPy. `textgen.training.linear` is its twin in Keras."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float64, normalized, sigmoid
from textgen.inference.stepper import State
from textgen.ngrams import hashed
from textgen.spec import CONVOLUTION, NetworkSpec


class LinearStepper:
    """Embeddings of the token and of the hashed n-grams before it, residual blocks, linear output.

    The state holds the last tokens, and for each block the recurrence and the convolution's last inputs.
    """

    def __init__(self, spec: NetworkSpec, weights: Mapping[str, npt.NDArray[np.float32]]) -> None:
        """Widen what is multiplied to 64 bits (see `numerics`); tables that are only looked up stay."""
        self.spec = spec
        self._embedding = weights["embedding"]
        self._ngrams = weights.get("ngrams")
        wide = {
            name: array.astype(np.float64)
            for name, array in weights.items()
            if name not in {"embedding", "ngrams"}
        }
        self._blocks = [
            {
                name.partition(".")[2]: array
                for name, array in wide.items()
                if name.startswith(f"layer{layer}.")
            }
            for layer in range(spec.layers)
        ]
        self._norm, self._output, self._bias = wide["norm"], wide["output.kernel"], wide["output.bias"]

    def initial_state(self, batch: int) -> State:
        """Return zeros; the tokens before the first count as unknown."""
        units = self.spec.units
        state: State = [np.zeros((batch, max(self.spec.ngrams - 1, 0)), np.float32)]
        for _ in range(self.spec.layers):
            state.append(np.zeros((batch, units), np.float32))
            state.append(np.zeros((batch, CONVOLUTION - 1, units), np.float32))
        return state

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text; see `textgen.inference.stepper.Stepper.step`."""
        x = self._embedding[tokens].astype(np.float64)  # (batch, units)
        if self._ngrams is not None:
            recent = np.concatenate([state[0], tokens[:, None]], axis=1).astype(np.int64)
            rows = hashed(recent, self.spec.ngrams, self.spec.ngram_rows)[:, 0]  # (batch, lengths)
            x += self._ngrams[rows].sum(axis=1, dtype=np.float64)
            state[0][:] = recent[:, 1:]
        for layer, block in enumerate(self._blocks):
            x += self._mix_time(block, x, state[1 + 2 * layer], state[2 + 2 * layer])
            if self.spec.expansion:
                x += _mix_channels(block, x)
        return normalized(x, self._norm) @ self._output + self._bias  # (batch, vocabulary)

    def _mix_time(self, block: dict[str, Float64], x: Float64, carried: npt.NDArray[np.float32],
                  inputs: npt.NDArray[np.float32]) -> Float64:  # fmt: skip
        units = self.spec.units
        z = normalized(x, block["norm"]) @ block["input"]  # (batch, 3 units)
        value, forget, gate = z[:, :units], z[:, units : 2 * units], z[:, 2 * units :]
        kernel = block["convolution"]
        filtered = value * kernel[-1]
        for back in range(CONVOLUTION - 1):
            filtered += inputs[:, back] * kernel[back]
        inputs[:, :-1] = inputs[:, 1:]
        inputs[:, -1] = value
        keep = sigmoid(forget + block["forget_bias"])
        carried[:] = keep * carried + (1 - keep) * filtered
        return (carried * (gate * sigmoid(gate))) @ block["output"]


def _mix_channels(block: dict[str, Float64], x: Float64) -> Float64:
    z = normalized(x, block["mlp_norm"]) @ block["mlp_input"]
    half = z.shape[1] // 2
    gate = z[:, :half]
    return (gate * sigmoid(gate) * z[:, half:]) @ block["mlp_output"]
