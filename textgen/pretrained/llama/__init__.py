"""Serving a base: one step of its network in NumPy and in C, with the same bits.

- Products of kernels are sums of whole numbers, so their order does not matter: weights of 8 bits times
  activations that each row rounds to whole numbers of up to 16 bits. How many depends on the length of the
  sum, which must fit into 32 bits.
- Everything else is added in one order that `arithmetic` defines, in floats that are never fused.

So a text is the same on every machine, alone or in a batch.
"""

from __future__ import annotations

from textgen.inference import Stepper
from textgen.pretrained.adapter import Adapter
from textgen.pretrained.base import Base
from textgen.pretrained.llama.compiled_step import CompiledLlamaStepper, library
from textgen.pretrained.llama.numpy_step import LlamaStepper


def make_stepper(base: Base, adapter: Adapter | None = None) -> Stepper:
    """Return the fastest stepper of a base on this machine.

    Args:
        base: the base. Its weights stay mapped, and steppers in all processes share them.
        adapter: a fine-tuned change of it; None for the base as it is.

    Raises:
        BundleError: the adapter does not fit the base.
    """
    code = library()
    return LlamaStepper(base, adapter) if code is None else CompiledLlamaStepper(base, adapter, code)
