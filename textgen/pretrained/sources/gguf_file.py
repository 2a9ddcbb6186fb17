"""GGUF files (the format of llama.cpp): the header is read within limits, and the tensors are mapped.

The format is described in https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.errors import BundleError
from textgen.pretrained.sources.gguf_blocks import BLOCKS, Block

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_KEYS = 4_096
_MOST_TENSORS = 20_000
_MOST_STRINGS = 2_000_000
_LONGEST_STRING = 1 << 20
_MOST_DIMENSIONS = 4
_LARGEST_ALIGNMENT = 1 << 16

_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor in the file.

    Attributes:
        shape: its shape, the last dimension contiguous.
        block: how its numbers are packed.
        offset: its first byte, from the place where the tensors begin.
    """

    shape: tuple[int, ...]
    block: Block
    offset: int

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return math.prod(self.shape) // self.block.numbers * self.block.nbytes


class GgufFile:
    """The metadata and the tensors of a file.

    Args:
        path: the file.

    Attributes:
        values: the metadata: numbers, bools, texts, lists of texts, and NumPy arrays of numbers.
        tensors: the tensors by their names.

    Raises:
        BundleError: it cannot be read, or is no complete GGUF file.
    """

    def __init__(self, path: Path) -> None:
        """Read the header and check the place of every tensor."""
        self.path = path
        try:
            self._bytes = np.memmap(path, np.uint8, "r")
        except (OSError, ValueError) as error:
            raise BundleError(f"{path} cannot be read: {error}") from None
        header = _Header(self._bytes, path)
        self.values, self.tensors = header.values, header.tensors
        alignment = self.values.get("general.alignment", 32)
        if type(alignment) is not int or not 1 <= alignment <= _LARGEST_ALIGNMENT:
            raise BundleError(f"{path} has an alignment of {alignment}; it must be a small number of bytes")
        self._tensors_begin = -(-header.position // alignment) * alignment
        for name, tensor in self.tensors.items():
            if self._tensors_begin + tensor.offset + tensor.nbytes > len(self._bytes):
                raise BundleError(f"{path} ends inside of {name!r:.80}; it may be cut")

    def floats(self, name: str) -> npt.NDArray[np.float32]:
        """Return a tensor as 32-bit floats."""
        tensor = self.tensors[name]
        start = self._tensors_begin + tensor.offset
        packed = self._bytes[start : start + tensor.nbytes].view(np.ndarray)
        blocks = packed.reshape(-1, tensor.block.nbytes)
        # Broken files hold signalling NaNs and numbers that overflow; the writer refuses what is not finite.
        with np.errstate(all="ignore"):
            return tensor.block.unpack(blocks).reshape(tensor.shape)


class _Header:
    """Reads a header from a mapped file, and never beyond its end."""

    def __init__(self, mapped: npt.NDArray[np.uint8], path: Path) -> None:
        self._mapped, self._path, self.position = mapped, path, 0
        if bytes(self._take(4)) != _MAGIC:
            raise BundleError(f"{path} is no GGUF file: it does not begin with GGUF")
        version = self._number("I")
        if version not in _VERSIONS:
            raise BundleError(f"{path} is a GGUF file of version {version}; 2 and 3 are read")
        tensors, keys = self._number("Q"), self._number("Q")
        if tensors > _MOST_TENSORS or keys > _MOST_KEYS:
            raise BundleError(f"{path} announces {tensors:,} tensors and {keys:,} values; that is no model")
        self._strings = 0
        self.values: dict[str, Any] = {}
        for _ in range(keys):
            name = self._string()
            self.values[name] = self._value(self._number("I"))
        self.tensors: dict[str, Tensor] = {}
        for _ in range(tensors):
            name = self._string()
            self.tensors[name] = self._tensor(name)

    def _take(self, size: int) -> npt.NDArray[np.uint8]:
        end = self.position + size
        if end > len(self._mapped):
            raise BundleError(f"{self._path} ends inside of its header; it may be cut")
        part, self.position = self._mapped[self.position : end], end
        return part

    def _number(self, kind: str) -> Any:
        return struct.unpack("<" + kind, bytes(self._take(struct.calcsize("<" + kind))))[0]

    def _string(self) -> str:
        size = self._number("Q")
        if size > _LONGEST_STRING:
            raise BundleError(f"{self._path} announces a text of {size:,} bytes; that is no model")
        return bytes(self._take(size)).decode("utf-8", "replace")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            return self._number(self._letter(kind))
        kind, count = self._number("I"), self._number("Q")
        if kind != _STRING:
            dtype = np.dtype("<" + self._letter(kind))
            return self._take(min(count, 2**48) * dtype.itemsize).view(np.ndarray).view(dtype)
        self._strings += count
        if self._strings > _MOST_STRINGS:
            raise BundleError(f"{self._path} announces {count:,} texts; that is no model")
        return self._texts(count)

    def _texts(self, count: int) -> list[str]:
        """Return many short texts; this is the part of a header that takes time."""
        position, texts = self.position, []
        view, end = self._mapped.data, len(self._mapped)
        for _ in range(count):
            begin = position + 8
            size = int.from_bytes(view[position:begin], "little")
            position = begin + size
            if begin > end or position > end or size > _LONGEST_STRING:
                raise BundleError(f"{self._path} ends inside of its header; it may be cut")
            texts.append(str(view[begin:position], "utf-8", "replace"))
        self.position = position
        return texts

    def _letter(self, kind: int) -> str:
        if kind not in _NUMBERS:
            raise BundleError(f"{self._path} has a value of the unknown type {kind}")
        return _NUMBERS[kind]

    def _tensor(self, name: str) -> Tensor:
        dimensions = self._number("I")
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise BundleError(f"{self._path}: {name!r:.80} has {dimensions:,} dimensions; 1 to 4 are read")
        # The file names the contiguous dimension first.
        shape = tuple(self._number("Q") for _ in range(dimensions))[::-1]
        kind, offset = self._number("I"), self._number("Q")
        if kind not in BLOCKS:
            known = ", ".join(block.name for block in BLOCKS.values())
            raise BundleError(
                f"{self._path}: {name!r:.80} is packed in the unknown way {kind}; known are {known}"
            )
        block = BLOCKS[kind]
        if not all(1 <= size < 2**32 for size in shape) or shape[-1] % block.numbers or offset >= 2**48:
            raise BundleError(
                f"{self._path}: {name!r:.80} has the shape {shape}, which {block.name} cannot hold"
            )
        return Tensor(shape, block, offset)


def is_gguf(path: Path) -> bool:
    """Return whether a file begins like a GGUF file, or is called one."""
    if path.suffix.lower() == ".gguf":
        return True
    try:
        with path.open("rb") as stream:
            return stream.read(4) == _MAGIC and os.fstat(stream.fileno()).st_size > len(_MAGIC)
    except OSError:
        return False
