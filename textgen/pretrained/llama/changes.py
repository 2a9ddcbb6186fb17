"""The adapter of a text as steppers read it: each text of a batch may have another one."""

from __future__ import annotations

import ctypes

import numpy as np

from textgen.pretrained.adapter import Adapter, LowRank, check_adapter
from textgen.pretrained.spec import KERNELS, LlamaSpec


class _Change(ctypes.Structure):
    """`Change` of llama.c."""

    _fields_ = [("down", ctypes.c_void_p), ("up", ctypes.c_void_p), ("rank", ctypes.c_int64)]


class Changes:
    """An adapter whose matrices compiled code can find.

    Attributes:
        adapter: the changes by kernel; empty for a base as it is.
        address: of one `_Change` for each kernel of each layer, in the order of `KERNELS`; 0 without changes.
    """

    __slots__ = ("_table", "adapter", "address")

    def __init__(self, adapter: Adapter | None, spec: LlamaSpec) -> None:
        """Check an adapter.

        Raises:
            BundleError: it does not fit the base.
        """
        check_adapter(adapter or {}, spec)
        # Compiled code knows only the addresses of these matrices: they live as long as the table.
        self.adapter = {
            name: LowRank(np.ascontiguousarray(change.down), np.ascontiguousarray(change.up))
            for name, change in (adapter or {}).items()
        }
        self._table = (_Change * (spec.layers * len(KERNELS)))(
            *(self._described(f"layer{layer}.{kernel}") for layer in range(spec.layers) for kernel in KERNELS)
        )
        self.address = ctypes.addressof(self._table) if self.adapter else 0

    def _described(self, kernel: str) -> _Change:
        change = self.adapter.get(kernel)
        if change is None:
            return _Change(None, None, 0)
        return _Change(change.down.ctypes.data, change.up.ctypes.data, len(change.up))
