"""The compiled step of the cell ``linear`` (`linear.c`), if a C compiler was installed with the package.

It writes the same text as ``numpy_step.py``, two to three times as fast; a test compares the two. Without
it, or on a processor that it does not support, NumPy serves alone.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from textgen.experts.expert import Expert
from textgen.files import compiled_code
from textgen.inference.compiled_experts import CompiledExperts
from textgen.inference.lookups import Expectation
from textgen.inference.numerics import Float32, Float64
from textgen.inference.stepper import State
from textgen.network.cells.cell import Sizes, Weights
from textgen.network.cells.linear.numpy_step import LinearStepper

_LAYER = (
    *("norm", "input", "convolution", "forget_bias", "output"),
    *("mlp_norm", "mlp_input", "mlp_output"),
)
_NETWORK = ("embedding", "confidence.input", "norm", "output.kernel", "output.bias")
_SIZES = ("vocabulary", "outputs", "units", "layers", "inner", "experts", "confidences")


class _Layer(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in _LAYER]


class _Network(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in _SIZES),
        *((f"at {name}", ctypes.c_void_p) for name in _NETWORK),
        ("inputs", ctypes.c_void_p),
        ("layer", ctypes.POINTER(_Layer)),
    ]


@functools.cache
def library() -> ctypes.CDLL | None:
    """Return the compiled code, or None if there is none or NumPy is faster on this processor."""
    loaded = compiled_code.load(__file__, "_linear")
    # Without this function it was built from the sources of an earlier version.
    if loaded is None or not hasattr(loaded, "long_expect"):
        return None
    loaded.linear_work.restype = ctypes.c_int64
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    loaded.linear_step.argtypes = [pointer, pointer, size, *[pointer] * 7]
    loaded.experts_expect.argtypes = [pointer, size, *[pointer] * 4]
    return loaded if loaded.linear_prepare() else None


class CompiledLinearStepper(LinearStepper):
    """Steps in compiled code; NumPy reads prompts, all positions at once."""

    def __init__(self, spec: Sizes, weights: Weights, experts: Sequence[Expert], code: ctypes.CDLL) -> None:
        """Give the addresses of the weights to compiled code.

        Args:
            spec: the network.
            weights: its weights.
            experts: the counted models that the spec names.
            code: the result of `library`.
        """
        super().__init__(spec, weights, experts)
        self._code = code
        self._compiled = CompiledExperts(experts, code) if experts else None
        self._described_experts = ctypes.byref(self._compiled.described) if self._compiled else None
        self._weights = {
            name: np.ascontiguousarray(array, dtype=np.float32) for name, array in weights.items()
        }
        if experts:
            for name, gate in (("output.kernel", "prior.gate"), ("output.bias", "prior.bias")):
                self._weights[name] = np.concatenate([weights[name], weights[gate]], axis=-1)
        layers = (_Layer * spec.layers)(
            *(_Layer(*(self._address(f"layer{n}.{name}") for name in _LAYER)) for n in range(spec.layers))
        )
        fed = [self._address(f"{name}.input") for name in spec.mixed if spec.feeds_prior]
        self._fed = (ctypes.c_void_p * len(fed))(*fed) if fed else None
        self._network = _Network(
            *(spec.vocabulary, len(self._weights["output.bias"])),
            *(spec.units, spec.layers, spec.expansion * spec.units),
            *(len(experts), spec.confidences),
            *map(self._address, _NETWORK),
            ctypes.addressof(self._fed) if self._fed else None,
            layers,
        )
        self._described = ctypes.byref(self._network)
        self._work_a_text = int(code.linear_work(self._described))

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text; see `textgen.inference.stepper.Stepper.step`.

        Raises:
            IndexError: a token lies outside the vocabulary.
        """
        place: _Place | None = getattr(self._local, "place", None)
        if place is None or not place.holds(state):
            place = self._local.place = _Place(state, self._work_a_text, self._network)
        fed = np.ascontiguousarray(tokens, np.int64)
        if self._code.linear_step(
            self._described,
            self._described_experts,
            len(fed),
            fed.ctypes.data,
            place.states,
            *place.addresses,
        ):
            raise IndexError(f"the tokens {tokens} lie outside the vocabulary of {self.spec.vocabulary}")
        if self._compiled is None:
            return place.outputs.copy()
        return self._corrected(place.outputs, place.expected)

    def _expected(self, windows: Float32) -> Expectation:
        if self._compiled is None:
            return super()._expected(windows)
        return self._compiled.expect(windows, with_confidences=self._gate is not None)

    def _address(self, name: str) -> int | None:
        array = self._weights.get(name)
        return None if array is None else array.ctypes.data


class _Place:
    """The addresses of a state and of scratch space, which stay the same from step to step."""

    def __init__(self, state: State, work_a_text: int, network: _Network) -> None:
        if not all(array.flags.c_contiguous and array.dtype == np.float32 for array in state):
            raise ValueError("a state consists of contiguous arrays of 32 bits")
        texts = len(state[0])
        self._arrays: list[Float32] = list(state)
        self.states = (ctypes.c_void_p * len(state))(*(array.ctypes.data for array in state))
        self._work = np.empty(texts * work_a_text)
        self._row = np.empty(network.vocabulary, np.float32)
        self.expected = Expectation(
            np.empty((network.experts, texts, network.vocabulary)), np.empty((texts, network.confidences))
        )
        self.outputs = np.empty((texts, network.outputs))
        given = (
            *(self._work, self._row),
            *(self.expected.probabilities, self.expected.confidences),
            self.outputs,
        )
        self.addresses = tuple(array.ctypes.data for array in given)

    def holds(self, state: State) -> bool:
        """Whether this is the same state. Its arrays are kept alive here, so no other has their addresses."""
        return all(mine is given for mine, given in zip(self._arrays, state, strict=True))
