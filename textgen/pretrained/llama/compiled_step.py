"""The compiled step of a base (`llama.c`), if a C compiler was installed with the package.

It computes the same bits as ``numpy_step.py``, many times as fast; a test compares the two. Without it NumPy
serves alone.
"""

from __future__ import annotations

import ctypes
import functools

import numpy as np
import numpy.typing as npt

from textgen.files import compiled_code
from textgen.inference.numerics import Float64
from textgen.inference.two_threads import Sharing
from textgen.pretrained.adapter import Adapter
from textgen.pretrained.base import Base
from textgen.pretrained.llama.context import BLOCK, Context, rotations
from textgen.pretrained.llama.numpy_step import LlamaStepper, places_of, visible_of
from textgen.pretrained.spec import KERNELS

PLAIN, AVX2, VNNI = 0, 1, 2
"""The kinds of products that the code knows, and takes up to the given one; tests compare them."""


class _Kernel(ctypes.Structure):
    _fields_ = [
        ("rows", ctypes.c_void_p),
        ("scales", ctypes.c_void_p),
    ]


class _Layer(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("attention_norm", "mlp_norm")),
        *((name, _Kernel) for name in KERNELS),
    ]


class _Network(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("layers", "width", "heads", "key_value_heads", "inner")),
        ("vocabulary", ctypes.c_int64),
        ("epsilon", ctypes.c_double),
        ("norm", ctypes.c_void_p),
        *((name, _Kernel) for name in ("embedding", "output")),
        ("layer", ctypes.POINTER(_Layer)),
    ]


@functools.cache
def library() -> ctypes.CDLL | None:
    """Return the compiled code, or None if there is none."""
    loaded = compiled_code.load(__file__, "_llama")
    if loaded is None:
        return None
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    loaded.llama_work.restype = ctypes.c_int64
    loaded.llama_work.argtypes = [pointer, size, size]
    loaded.llama_run.argtypes = [pointer, size, *[pointer] * 6, size, *[pointer] * 4]
    loaded.llama_logits.argtypes = [pointer, size, *[pointer] * 4]
    loaded.llama_prepare(VNNI)
    return loaded


class CompiledLlamaStepper(LlamaStepper):
    """Steps and reads prompts in compiled code."""

    def __init__(self, base: Base, adapter: Adapter | None, code: ctypes.CDLL) -> None:
        """Give the addresses of the weights to compiled code.

        Args:
            base: the base.
            adapter: a change of it, or None.
            code: the result of `library`.

        Raises:
            BundleError: the adapter does not fit the base.
        """
        super().__init__(base, adapter)
        self._code = code
        # The two are timed apart: the output layer takes another time than the others.
        self._sharing, self._sharing_of_logits = Sharing(), Sharing()
        spec = self.spec
        layers = (_Layer * spec.layers)(
            *(
                _Layer(
                    *(self._norms[f"layer{n}.{norm}"].ctypes.data for norm in ("attention_norm", "mlp_norm")),
                    *(self._kernel(f"layer{n}.{kernel}") for kernel in KERNELS),
                )
                for n in range(spec.layers)
            )
        )
        self._network = _Network(
            *(spec.layers, spec.width, spec.heads, spec.key_value_heads, spec.inner, spec.vocabulary),
            spec.rms_epsilon,
            self._norms["norm"].ctypes.data,
            self._kernel("embedding"),
            self._kernel("embedding" if spec.tied else "output"),
            layers,
        )
        self._described = ctypes.byref(self._network)

    def _kernel(self, name: str) -> _Kernel:
        matrix = self._matrices[name]
        return _Kernel(matrix.rows.ctypes.data, matrix.scales.ctypes.data)

    def _hidden(self, tokens: npt.NDArray[np.intp], contexts: list[Context], count: int) -> Float64:
        fed = np.ascontiguousarray(tokens, np.int64)
        blocks = np.array([context.addresses.ctypes.data for context in contexts], np.int64)
        changes = np.array([context.changes.address for context in contexts], np.int64)
        visible = np.array(visible_of(contexts, count), np.int64)
        cosine, sine = rotations(places_of(contexts, count), self.spec)
        most = -(-int(visible.max()) // BLOCK)
        found = np.empty((len(fed), self.spec.width))

        written = np.zeros(1, np.int64)

        def run(part: slice) -> None:
            try:
                given = (array[part].ctypes.data for array in (fed, blocks, visible, cosine, sine, changes))
                size = part.stop - part.start
                # The second half of a text waits in each layer for what the first has written there.
                waiting = part.start % count != 0
                sides = (written.ctypes.data, None) if waiting else (None, written.ctypes.data)
                work = np.empty(self._code.llama_work(self._described, size, most))
                places = (work.ctypes.data, found[part].ctypes.data)
                self._code.llama_run(self._described, size, *given, most, *sides, *places)
            finally:
                if not part.start:  # nobody waits for a half that failed
                    written[0] = self.spec.layers

        self._sharing.run(len(fed), run)
        return found

    def _logits(self, rows: Float64) -> Float64:
        found = np.empty((len(rows), self.spec.vocabulary))

        def run(part: slice) -> None:
            whole, scales = np.empty(rows[part].shape, np.int16), np.empty(part.stop - part.start)
            given = (array.ctypes.data for array in (rows[part], whole, scales, found[part]))
            self._code.llama_logits(self._described, len(scales), *given)

        self._sharing_of_logits.run(len(rows), run)
        return found
