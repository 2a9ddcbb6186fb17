"""The compiled step of the cell ``linear`` (`linear.c`), if a C compiler was installed with the package.

It writes the same text as ``numpy_step.py``, two to three times as fast; a test compares the two. Without
it, or on a processor that it does not support, NumPy serves alone.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np
import numpy.typing as npt

from textgen.experts.kneser_ney import KneserNey
from textgen.inference.compiled_prior import CompiledPrior
from textgen.inference.numerics import Float32, Float64
from textgen.inference.stepper import State
from textgen.network.cells.cell import Sizes
from textgen.network.cells.linear.numpy_step import LinearStepper

_LAYER = (
    *("norm", "input", "convolution", "forget_bias", "output"),
    *("mlp_norm", "mlp_input", "mlp_output"),
)
_NETWORK = ("embedding", "prior.input", "norm", "output.kernel", "output.bias")


class _Layer(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in _LAYER]


class _Network(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("vocabulary", "outputs", "units", "layers", "inner")),
        *((f"at {name}", ctypes.c_void_p) for name in _NETWORK),
        ("layer", ctypes.POINTER(_Layer)),
    ]


@functools.cache
def library() -> ctypes.CDLL | None:
    """Return the compiled code, or None if there is none or NumPy is faster on this processor."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_linear{suffix}")
        if path.exists():
            try:
                loaded = ctypes.CDLL(str(path))
            except OSError:
                # For example, it was built on another system.
                return None
            loaded.linear_work.restype = ctypes.c_int64
            pointer, size = ctypes.c_void_p, ctypes.c_int64
            loaded.linear_step.argtypes = [pointer, pointer, size, *[pointer] * 6]
            loaded.ngrams_expect.argtypes = [pointer, size, *[pointer] * 3]
            return loaded if loaded.linear_prepare() else None
    return None


class CompiledLinearStepper(LinearStepper):
    """Steps in compiled code; NumPy reads prompts, all positions at once."""

    def __init__(
        self,
        spec: Sizes,
        weights: Mapping[str, npt.NDArray[np.float32]],
        counted: KneserNey | None,
        code: ctypes.CDLL,
    ) -> None:
        """Give the addresses of the weights to compiled code.

        Args:
            spec: the network.
            weights: its weights.
            counted: the n-grams, or None if the network has no prior.
            code: the result of `library`.
        """
        super().__init__(spec, weights, counted)
        self._code = code
        self._ngrams = None
        if counted is not None:
            self._prior = prior = CompiledPrior(counted, code)
            self._ngrams = ctypes.byref(prior.ngrams)
        self._weights = {
            name: np.ascontiguousarray(array, dtype=np.float32) for name, array in weights.items()
        }
        if counted is not None:
            for name, gate in (("output.kernel", "prior.gate"), ("output.bias", "prior.bias")):
                self._weights[name] = np.concatenate([weights[name], weights[gate]], axis=-1)
        layers = (_Layer * spec.layers)(
            *(_Layer(*(self._address(f"layer{n}.{name}") for name in _LAYER)) for n in range(spec.layers))
        )
        self._network = _Network(
            *(spec.vocabulary, len(self._weights["output.bias"])),
            *(spec.units, spec.layers, spec.expansion * spec.units),
            *map(self._address, _NETWORK),
            layers,
        )
        self._outputs, self._described = self._network.outputs, ctypes.byref(self._network)
        self._work_a_text = int(code.linear_work(ctypes.byref(self._network)))

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> Float64:
        """Feed one token to each text; see `textgen.inference.stepper.Stepper.step`.

        Raises:
            IndexError: a token lies outside the vocabulary.
        """
        place: _Place | None = getattr(self._local, "place", None)
        if place is None or not place.holds(state):
            place = self._local.place = _Place(state, self._work_a_text, self.spec.vocabulary, self._outputs)
        fed = np.ascontiguousarray(tokens, np.int64)
        if self._code.linear_step(
            self._described, self._ngrams, len(fed), fed.ctypes.data, place.states, *place.addresses
        ):
            raise IndexError(f"the tokens {tokens} lie outside the vocabulary of {self.spec.vocabulary}")
        if self._ngrams is None:
            return place.outputs.copy()
        return self._corrected(place.outputs, place.expected)

    def _address(self, name: str) -> int | None:
        array = self._weights.get(name)
        return None if array is None else array.ctypes.data


class _Place:
    """The addresses of a state and of scratch space, which stay the same from step to step."""

    def __init__(self, state: State, work_a_text: int, vocabulary: int, outputs: int) -> None:
        if not all(array.flags.c_contiguous and array.dtype == np.float32 for array in state):
            raise ValueError("a state consists of contiguous arrays of 32 bits")
        texts = len(state[0])
        self._arrays: list[Float32] = list(state)
        self.states = (ctypes.c_void_p * len(state))(*(array.ctypes.data for array in state))
        self._work = np.empty(texts * work_a_text)
        self._row = np.empty(vocabulary, np.float32)
        self.expected = np.empty((texts, vocabulary))
        self.outputs = np.empty((texts, outputs))
        given = (self._work, self._row, self.expected, self.outputs)
        self.addresses = tuple(array.ctypes.data for array in given)

    def holds(self, state: State) -> bool:
        """Whether this is the same state. Its arrays are kept alive here, so no other has their addresses."""
        return all(mine is given for mine, given in zip(self._arrays, state, strict=True))
