"""The cell ``linear`` in NumPy. ``keras_layer.py`` is its twin in Keras, ``linear.c`` its step in C.

A step costs little arithmetic, so for one text it is the number of calls into NumPy that counts, and
for many the passes over memory. Hence buffers that are made once, scales that are folded into the
matrices, and sigmoids as the hyperbolic tangents that they are: sigmoid(2h) = (tanh(h) + 1) / 2.

Matrix products and functions run in 64 bits (see `numerics`). What only adds and multiplies element
by element stays in 32: IEEE 754 leaves no freedom there, so it is the same everywhere.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from textgen.experts.kneser_ney import KneserNey
from textgen.inference.numerics import EPSILON, Float32, Float64
from textgen.inference.prior import Expectation, Prior
from textgen.inference.stepper import State
from textgen.network.cells.cell import Sizes
from textgen.network.cells.linear.shapes import CONVOLUTION


class LinearStepper:
    """Embeddings, residual blocks, linear output on top of what counted n-grams expect.

    The state holds the last tokens, and for each block the recurrence and what the convolution has summed
    up already for the next positions.
    Features are the blocks' output and, behind it, the n-grams' probabilities.
    """

    def __init__(
        self,
        spec: Sizes,
        weights: Mapping[str, npt.NDArray[np.float32]],
        counted: KneserNey | None = None,
    ) -> None:
        """Widen the matrices to 64 bits."""
        self.spec = spec
        self._embedding = weights["embedding"]
        self._blocks = [_Block(spec, weights, f"layer{layer}.") for layer in range(spec.layers)]
        output, bias = weights["output.kernel"], weights["output.bias"]
        self._prior: Expectation | None = Prior(counted) if counted is not None else None
        self._before = counted.before if counted is not None else 0
        self._prior_input = weights["prior.input"].astype(np.float64) if spec.feeds_prior else None
        if self._prior is not None:
            # How much the n-grams count at this position is one more output.
            output = np.concatenate([output, weights["prior.gate"]], axis=1)
            bias = np.concatenate([bias, weights["prior.bias"]])
        self._output = _with_bias(_for_normalized(weights["norm"], output), bias.astype(np.float64))
        # Each thread has its own buffers, so that one model can serve several.
        self._local = threading.local()

    def initial_state(self, batch: int) -> State:
        """Return zeros; the tokens before the first count as unknown."""
        units = self.spec.units
        state: State = [np.zeros((batch, self._before), np.float32)]
        for _ in range(self.spec.layers):
            state.append(np.zeros((batch, units), np.float32))
            state.append(np.zeros((batch, CONVOLUTION - 1, units), np.float32))
        return state

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text; see `textgen.inference.stepper.Stepper.step`."""
        buffers = self._buffers(len(tokens))
        buffers.x[:] = self._embedding[tokens]
        expected = self._expected(tokens, state[0])
        if expected is not None:
            self._feed(expected, buffers)
        for layer, block in enumerate(self._blocks):
            block.mix_time(state[1 + 2 * layer], state[2 + 2 * layer], buffers)
            if self.spec.expansion:
                block.mix_channels(buffers)
        _normalize(buffers)
        return self._corrected(np.dot(buffers.with_one, self._output), expected)

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed several tokens; see `textgen.inference.stepper.Stepper.features`.

        All but the recurrence itself is worked out for all positions at once.
        """
        batch, time = tokens.shape
        buffers, expected = _Buffers(self.spec, batch * time), None
        buffers.x[:] = self._embedding[tokens].reshape(batch * time, -1)
        if self._prior is not None:
            seen = np.concatenate([state[0], tokens], axis=1)  # (batch, before + time)
            state[0][:] = seen[:, time:]
            contexts = np.lib.stride_tricks.sliding_window_view(seen[:, 1:], self._before, axis=1)
            expected = self._prior.probabilities(contexts.reshape(batch * time, self._before))
            self._feed(expected, buffers)
        for layer, block in enumerate(self._blocks):
            block.mix_times(state[1 + 2 * layer], state[2 + 2 * layer], buffers)
            if self.spec.expansion:
                block.mix_channels(buffers)
        features = buffers.x if expected is None else np.concatenate([buffers.x, expected], axis=1)
        return features.reshape(batch, time, -1)

    def logits(self, features: Float64) -> Float64:
        """Return logits, shape (..., vocabulary), from features, shape (..., units or units + vocabulary)."""
        flat = features.reshape(-1, features.shape[-1])
        expected = flat[:, self.spec.units :] if self._prior is not None else None
        return self._logits(flat[:, : self.spec.units], expected).reshape(*features.shape[:-1], -1)

    def _feed(self, expected: Float64, buffers: _Buffers) -> None:
        """Show the network what the n-grams expect."""
        if self._prior_input is not None:
            np.dot(expected, self._prior_input, out=buffers.out)
            buffers.x += buffers.out

    def _expected(self, tokens: npt.NDArray[np.intp], recent: Float32) -> Float64 | None:
        """Return what the n-grams expect after the tokens, and move ``recent`` on."""
        if self._prior is None:
            return None
        recent[:, :-1] = recent[:, 1:]
        recent[:, -1] = tokens
        return self._prior.probabilities(recent)

    def _logits(self, x: Float64, expected: Float64 | None) -> Float64:
        outputs: Float64 = np.dot(x * _inverse_norms(x), self._output[:-1])
        outputs += self._output[-1]
        return self._corrected(outputs, expected)

    @staticmethod
    def _corrected(outputs: Float64, expected: Float64 | None) -> Float64:
        """Return logits: the network's outputs are what they differ by from the n-grams' logarithms.

        The last output is how much those count.
        """
        if expected is None:
            return outputs
        logits: Float64 = np.log(expected)
        logits *= outputs[:, -1:]
        logits += outputs[:, :-1]
        return logits

    def _buffers(self, batch: int) -> _Buffers:
        buffers: _Buffers | None = getattr(self._local, "buffers", None)
        if buffers is None or len(buffers.x) != batch:
            buffers = self._local.buffers = _Buffers(self.spec, batch)
        return buffers


class _Buffers:
    """Where the intermediate results of a step go, with the views that it needs."""

    def __init__(self, spec: Sizes, rows: int) -> None:
        units, inner = spec.units, spec.expansion * spec.units
        self.x = np.empty((rows, units))
        # A column of ones behind it brings the biases into the products.
        self.with_one = np.ones((rows, units + 1))
        self.normalized = self.with_one[:, :units]
        z = np.empty((rows, 3 * units))
        self.z, self.value = z, z[:, :units]
        self.gate, self.gates = z[:, 2 * units :], z[:, units:]
        # The forget gate and the output gate side by side: one call squashes both.
        self.squashed = np.empty((rows, 2 * units))
        self.kept, self.opened = self.squashed[:, :units], self.squashed[:, units:]
        self.heard = np.empty((rows, 1, units), np.float32)
        self.taps = np.empty((rows, CONVOLUTION, units), np.float32)
        self.filtered = np.empty((rows, units), np.float32)
        self.keep = np.empty((rows, units), np.float32)
        self.change = np.empty((rows, units), np.float32)
        self.hidden = np.empty((rows, units))
        self.out = np.empty((rows, units))
        self.wide = np.empty((rows, 2 * inner))
        self.wide_gate, self.wide_value = self.wide[:, :inner], self.wide[:, inner:]
        self.inner = np.empty((rows, inner))


class _Block:
    """One residual block: mixing over time, then over channels. Both add to ``x`` of the buffers."""

    def __init__(self, spec: Sizes, weights: Mapping[str, npt.NDArray[np.float32]], prefix: str) -> None:
        units = spec.units
        bias = np.zeros(3 * units)
        bias[units : 2 * units] = weights[prefix + "forget_bias"]
        self._input = _with_bias(_for_normalized(weights[prefix + "norm"], weights[prefix + "input"]), bias)
        # Halved for the hyperbolic tangent. The output gate g = 2h, as a factor, needs no doubling:
        # g sigmoid(g) = h (tanh(h) + 1).
        self._input[:, units:] *= 0.5
        # The newest input's factor first: by it each input counts for its own position and those after it.
        self._convolution = weights[prefix + "convolution"][::-1].copy()
        self._output = weights[prefix + "output"].astype(np.float64)
        if spec.expansion:
            self._mlp_input = _for_normalized(weights[prefix + "mlp_norm"], weights[prefix + "mlp_input"])
            self._mlp_input[:, : spec.expansion * units] *= 0.5
            self._mlp_output = weights[prefix + "mlp_output"].astype(np.float64)

    def mix_time(self, carried: Float32, summed: Float32, buffers: _Buffers) -> None:
        """Mix one position of each text with its past.

        Args:
            carried: the recurrence, shape (batch, units); changed in place.
            summed: the convolution at the next positions, as far as it is known: shape
                (batch, CONVOLUTION - 1, units); likewise.
            buffers: with x, shape (batch, units).
        """
        self._gates(buffers)
        buffers.heard[:, 0] = buffers.value
        np.multiply(buffers.heard, self._convolution, out=buffers.taps)
        np.add(summed[:, 0], buffers.taps[:, 0], out=buffers.filtered)
        np.add(summed[:, 1:], buffers.taps[:, 1:-1], out=summed[:, :-1])
        summed[:, -1] = buffers.taps[:, -1]
        _recur(carried, buffers.keep, buffers.filtered, buffers.change)
        np.multiply(buffers.opened, carried, out=buffers.hidden)
        self._add_gated(buffers)

    def mix_times(self, carried: Float32, summed: Float32, buffers: _Buffers) -> None:
        """Do as `mix_time` for several positions of each text; x has shape (batch × time, units)."""
        batch, units = carried.shape
        self._gates(buffers)
        value = buffers.value.reshape(batch, -1, units).astype(np.float32)
        time = value.shape[1]
        filtered = np.zeros((batch, time + CONVOLUTION - 1, units), np.float32)
        filtered[:, : CONVOLUTION - 1] = summed
        # The oldest input first, as it is when positions come one by one.
        for later in reversed(range(CONVOLUTION)):
            filtered[:, later : later + time] += value * self._convolution[later]
        summed[:] = filtered[:, time:]
        keep = buffers.keep.reshape(batch, time, units)
        hidden = buffers.hidden.reshape(batch, time, units)
        change = np.empty_like(carried)
        for position in range(time):
            _recur(carried, keep[:, position], filtered[:, position], change)
            hidden[:, position] = carried
        buffers.hidden *= buffers.opened
        self._add_gated(buffers)

    def mix_channels(self, buffers: _Buffers) -> None:
        """Run each position through the gated perceptron."""
        _normalize(buffers)
        np.dot(buffers.normalized, self._mlp_input, out=buffers.wide)
        inner = buffers.inner
        np.tanh(buffers.wide_gate, out=inner)
        inner += 1
        inner *= buffers.wide_gate
        inner *= buffers.wide_value
        np.dot(inner, self._mlp_output, out=buffers.out)
        buffers.x += buffers.out

    def _gates(self, buffers: _Buffers) -> None:
        _normalize(buffers)
        np.dot(buffers.with_one, self._input, out=buffers.z)
        np.tanh(buffers.gates, out=buffers.squashed)
        buffers.squashed += 1
        np.multiply(buffers.kept, 0.5, out=buffers.keep, casting="same_kind")

    def _add_gated(self, buffers: _Buffers) -> None:
        buffers.hidden *= buffers.gate
        np.dot(buffers.hidden, self._output, out=buffers.out)
        buffers.x += buffers.out


def _recur(carried: Float32, keep: Float32, filtered: Float32, change: Float32) -> None:
    """Move the recurrence on: h = k h + (1 - k) f, written with one product."""
    np.subtract(carried, filtered, out=change)
    change *= keep
    np.add(change, filtered, out=carried)


def _for_normalized(scale: npt.NDArray[np.float32], kernel: npt.NDArray[np.float32]) -> Float64:
    """Return a matrix for x times `_inverse_norms`, with what the normalisation needs besides."""
    result: Float64 = scale.astype(np.float64)[:, None] * kernel * math.sqrt(len(scale))
    return result


def _with_bias(kernel: Float64, bias: Float64) -> Float64:
    """Return a matrix with a last row that is multiplied by one."""
    return np.concatenate([kernel, bias[None]])


def _normalize(buffers: _Buffers) -> None:
    np.multiply(buffers.x, _inverse_norms(buffers.x), out=buffers.normalized)


def _inverse_norms(x: Float64) -> Float64 | float:
    """Return 1 over the root of x's sum of squares, shape (rows, 1), or a number for a single row."""
    rows, units = x.shape
    if rows == 1:
        row = x[0]
        return 1 / math.sqrt(row.dot(row) + units * EPSILON)
    squares: Float64 = np.vecdot(x, x)
    squares += units * EPSILON
    np.sqrt(squares, out=squares)
    return np.reciprocal(squares, out=squares)[:, None]
