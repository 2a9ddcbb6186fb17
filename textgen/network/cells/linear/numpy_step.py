"""The cell ``linear`` in NumPy. ``keras_layer.py`` is its twin in Keras, ``linear.c`` its step in C.

A step costs little arithmetic. For one text the number of calls into NumPy decides the speed, and for many
texts the passes over memory. So the buffers are allocated once, the scales are folded into the matrices,
and a sigmoid is computed by a hyperbolic tangent: sigmoid(2x) = (tanh(x) + 1) / 2.

Matrix products and functions run in 64 bits (see `numerics`). What only adds and multiplies element
by element stays in 32 bits: IEEE 754 defines these results exactly, so they are the same on every machine.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from textgen.experts.expert import Expert
from textgen.inference.lookups import Counts, Expectation, lookup_of
from textgen.inference.numerics import EPSILON, Float32, Float64
from textgen.inference.stepper import State
from textgen.network.cells.cell import Sizes, Weights

CONVOLUTION = 4  # number of positions that the short causal convolution sees


class LinearStepper:
    """Embeddings, residual blocks, linear output on top of what the experts expect.

    The state holds the last tokens and, for each block, the h of the recurrence and the sums of the
    convolution at the next positions, as far as they are known.
    Features are the blocks' output, followed by the experts' probabilities and confidences.
    """

    def __init__(self, spec: Sizes, weights: Weights, experts: Sequence[Expert] = ()) -> None:
        """Widen the matrices to 64 bits."""
        self.spec = spec
        self._embedding = weights["embedding"]
        self._blocks = [_Block(spec, weights, f"layer{layer}.") for layer in range(spec.layers)]
        output, bias = weights["output.kernel"], weights["output.bias"]
        self._experts = len(experts)
        self._before = max((expert.before for expert in experts), default=0)
        self._counts: Counts = [lookup_of(expert) for expert in experts]
        fed = spec.mixed if spec.feeds_prior else ()
        self._inputs = [weights[f"{name}.input"].astype(np.float64) for name in fed]
        self._gate: Float64 | None = None
        if spec.confidences:
            self._confidence_input = weights["confidence.input"].astype(np.float64)
            self._gate = weights["confidence.gate"].astype(np.float64)
        if experts:
            # The weights of the experts at this position are more outputs.
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
        expected = None
        if self._experts:
            recent = state[0]
            recent[:, :-1] = recent[:, 1:]
            recent[:, -1:] = tokens[:, None]
            expected = self._expected(recent)
            self._feed(expected, buffers)
        for layer, block in enumerate(self._blocks):
            block.temporal_mixing(state[1 + 2 * layer], state[2 + 2 * layer], buffers)
            if self.spec.expansion:
                block.gated_mlp(buffers)
        _normalize(buffers)
        return self._corrected(np.dot(buffers.with_one, self._output), expected)

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed several tokens; all but the recurrence is computed at once. See `Stepper.features`."""
        batch, time = tokens.shape
        buffers = _Buffers(self.spec, batch * time)
        features = [buffers.x]
        buffers.x[:] = self._embedding[tokens].reshape(batch * time, -1)
        if self._experts:
            seen = np.concatenate([state[0], tokens], axis=1)  # (batch, before + time)
            state[0][:] = seen[:, time:]
            expected = self._expected(seen[:, 1:])
            self._feed(expected, buffers)
            features += [*expected.probabilities, expected.confidences]
        for layer, block in enumerate(self._blocks):
            block.temporal_mixing_of_many(state[1 + 2 * layer], state[2 + 2 * layer], buffers)
            if self.spec.expansion:
                block.gated_mlp(buffers)
        return np.concatenate(features, axis=1).reshape(batch, time, -1)

    def logits(self, features: Float64) -> Float64:
        """Return logits, shape (..., vocabulary), from what `features` returned."""
        flat = features.reshape(-1, features.shape[-1])
        x = flat[:, : self.spec.units]
        outputs: Float64 = np.dot(x * _inverse_norms(x), self._output[:-1]) + self._output[-1]
        expected = self._expectation(flat) if self._experts else None
        return self._corrected(outputs, expected).reshape(*features.shape[:-1], -1)

    def parts(self, features: Float64) -> tuple[Float64, Float64, Float64]:
        """Return logits, probabilities, confidences; see `textgen.inference.stepper.Correcting.parts`."""
        expected = self._expectation(features)
        return self.logits(features), expected.probabilities, expected.confidences

    def _expectation(self, features: Float64) -> Expectation:
        """Return what the experts expect, from features of shape (positions, features)."""
        end = self.spec.units + self.spec.vocabulary * self._experts
        each = features[:, self.spec.units : end].reshape(len(features), self._experts, -1)
        return Expectation(np.ascontiguousarray(each.swapaxes(0, 1)), features[:, end:])

    def _expected(self, windows: Float32) -> Expectation:
        """Return what the experts expect after each token but the first ``before - 1`` of each text."""
        return Expectation.of(self._counts, windows, with_confidences=self._gate is not None)

    def _feed(self, expected: Expectation, buffers: _Buffers) -> None:
        """Add what the experts expect to the network's input."""
        for probabilities, matrix in zip(expected.probabilities, self._inputs, strict=False):
            np.dot(probabilities, matrix, out=buffers.out)
            buffers.x += buffers.out
        if self._gate is not None:
            np.dot(expected.confidences, self._confidence_input, out=buffers.out)
            buffers.x += buffers.out

    def _corrected(self, outputs: Float64, expected: Expectation | None) -> Float64:
        """Return the first outputs plus the experts' log probabilities, weighted by the last outputs."""
        if expected is None:
            return outputs
        vocabulary = self.spec.vocabulary
        weights = outputs[:, vocabulary:]
        if self._gate is not None:
            weights = weights + expected.confidences @ self._gate
        logits = outputs[:, :vocabulary].copy()
        for logs, weight in zip(np.log(expected.probabilities), weights.T, strict=True):
            logits += logs * weight[:, None]
        return logits

    def _buffers(self, batch: int) -> _Buffers:
        buffers: _Buffers | None = getattr(self._local, "buffers", None)
        if buffers is None or len(buffers.x) != batch:
            buffers = self._local.buffers = _Buffers(self.spec, batch)
        return buffers


class _Buffers:
    """The intermediate results of a step, and views of them; allocated once."""

    def __init__(self, spec: Sizes, rows: int) -> None:
        units, inner = spec.units, spec.expansion * spec.units
        self.x = np.empty((rows, units))
        # The last column is 1, so that a matrix product adds the biases as well.
        self.with_one = np.ones((rows, units + 1))
        self.normalized = self.with_one[:, :units]
        z = np.empty((rows, 3 * units))
        self.z, self.value = z, z[:, :units]
        self.gate, self.gates = z[:, 2 * units :], z[:, units:]
        # The forget gate and the output gate are side by side: one call computes tanh of both.
        self.squashed = np.empty((rows, 2 * units))
        self.forget_gate, self.output_gate = self.squashed[:, :units], self.squashed[:, units:]
        self.value32 = np.empty((rows, 1, units), np.float32)
        self.taps = np.empty((rows, CONVOLUTION, units), np.float32)
        self.v = np.empty((rows, units), np.float32)
        self.a = np.empty((rows, units), np.float32)
        self.change = np.empty((rows, units), np.float32)
        self.hidden = np.empty((rows, units))
        self.out = np.empty((rows, units))
        self.wide = np.empty((rows, 2 * inner))
        self.wide_gate, self.wide_value = self.wide[:, :inner], self.wide[:, inner:]
        self.inner = np.empty((rows, inner))


class _Block:
    """One residual block: temporal mixing, then a gated perceptron. Both add to ``x`` of the buffers."""

    def __init__(self, spec: Sizes, weights: Weights, prefix: str) -> None:
        units = spec.units
        bias = np.zeros(3 * units)
        bias[units : 2 * units] = weights[prefix + "forget_bias"]
        self._input = _with_bias(_for_normalized(weights[prefix + "norm"], weights[prefix + "input"]), bias)
        # Halved for the hyperbolic tangent. The output gate g = 2h, as a factor, needs no doubling:
        # g sigmoid(g) = h (tanh(h) + 1).
        self._input[:, units:] *= 0.5
        # The newest input's factor comes first: each input adds to its own position and to the next ones.
        self._convolution = weights[prefix + "convolution"][::-1].copy()
        self._output = weights[prefix + "output"].astype(np.float64)
        if spec.expansion:
            self._mlp_input = _for_normalized(weights[prefix + "mlp_norm"], weights[prefix + "mlp_input"])
            self._mlp_input[:, : spec.expansion * units] *= 0.5
            self._mlp_output = weights[prefix + "mlp_output"].astype(np.float64)

    def temporal_mixing(self, h: Float32, summed: Float32, buffers: _Buffers) -> None:
        """Mix one position of each text with its past.

        Args:
            h: the recurrence's state, shape (batch, units); changed in place.
            summed: the convolution at the next positions, as far as it is known, shape
                (batch, CONVOLUTION - 1, units); changed in place.
            buffers: with x, shape (batch, units).
        """
        self._gates(buffers)
        buffers.value32[:, 0] = buffers.value
        np.multiply(buffers.value32, self._convolution, out=buffers.taps)
        np.add(summed[:, 0], buffers.taps[:, 0], out=buffers.v)
        np.add(summed[:, 1:], buffers.taps[:, 1:-1], out=summed[:, :-1])
        summed[:, -1] = buffers.taps[:, -1]
        _recurrence(h, buffers.a, buffers.v, buffers.change)
        np.multiply(buffers.output_gate, h, out=buffers.hidden)
        self._add_gated(buffers)

    def temporal_mixing_of_many(self, h: Float32, summed: Float32, buffers: _Buffers) -> None:
        """Do the same as `temporal_mixing` for several positions; x has shape (batch × time, units)."""
        batch, units = h.shape
        self._gates(buffers)
        value = buffers.value.reshape(batch, -1, units).astype(np.float32)
        time = value.shape[1]
        v = np.zeros((batch, time + CONVOLUTION - 1, units), np.float32)
        v[:, : CONVOLUTION - 1] = summed
        # The oldest input comes first, in the order of single steps: the sums round the same way.
        for later in reversed(range(CONVOLUTION)):
            v[:, later : later + time] += value * self._convolution[later]
        summed[:] = v[:, time:]
        a = buffers.a.reshape(batch, time, units)
        hidden = buffers.hidden.reshape(batch, time, units)
        change = np.empty_like(h)
        for position in range(time):
            _recurrence(h, a[:, position], v[:, position], change)
            hidden[:, position] = h
        buffers.hidden *= buffers.output_gate
        self._add_gated(buffers)

    def gated_mlp(self, buffers: _Buffers) -> None:
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
        np.multiply(buffers.forget_gate, 0.5, out=buffers.a, casting="same_kind")

    def _add_gated(self, buffers: _Buffers) -> None:
        buffers.hidden *= buffers.gate
        np.dot(buffers.hidden, self._output, out=buffers.out)
        buffers.x += buffers.out


def _recurrence(h: Float32, a: Float32, v: Float32, change: Float32) -> None:
    """Advance the recurrence: h = a h + (1 - a) v, written with one product."""
    np.subtract(h, v, out=change)
    change *= a
    np.add(change, v, out=h)


def _for_normalized(scale: npt.NDArray[np.float32], kernel: npt.NDArray[np.float32]) -> Float64:
    """Return a matrix for x times `_inverse_norms`, with the normalisation's scale and constant folded in."""
    return scale.astype(np.float64)[:, None] * kernel * math.sqrt(len(scale))


def _with_bias(kernel: Float64, bias: Float64) -> Float64:
    """Return a matrix with the bias as its last row."""
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
