"""Safetensors files as memory maps: arrays are read when they are used, and processes share them.

The header is checked before anything is mapped: types, shapes, and that the arrays lie side by side and fill
the file. The package ``safetensors`` would copy each array into memory.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from textgen.argument_checks import shown
from textgen.errors import BundleError

_LARGEST_HEADER = 4 << 20
_MOST_ARRAYS = 20_000
_MOST_DIMENSIONS = 8
_ALIGNMENT = 64
_TYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),  # NumPy has no such type: the bits are the upper half of a 32-bit float
    "F64": np.dtype("<f8"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "I64": np.dtype("<i8"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An array in a safetensors file.

    Attributes:
        kind: its type as the file names it, for example "BF16".
        shape: its shape.
        start: its first byte in the file.
    """

    kind: str
    shape: tuple[int, ...]
    start: int

    @property
    def nbytes(self) -> int:
        """Its size in bytes."""
        return math.prod(self.shape) * _TYPES[self.kind].itemsize


class SafetensorsFile:
    """The arrays of a file.

    Args:
        path: the file.

    Raises:
        BundleError: it cannot be read, or is no complete safetensors file.
    """

    def __init__(self, path: Path) -> None:
        """Read and check the header, and map the file."""
        self.path = path
        try:
            with path.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                self.entries = _entries(stream.read(8), stream.read, size, path)
            self._bytes = np.memmap(path, np.uint8, "r")
        except (OSError, ValueError) as error:
            raise BundleError(f"{path} cannot be read: {error}") from None

    def array(self, name: str) -> npt.NDArray[Any]:
        """Return an array of the file, read-only; bfloat16 as 16-bit numbers."""
        entry = self.entries[name]
        part = self._bytes[entry.start : entry.start + entry.nbytes]
        return part.view(_TYPES[entry.kind]).reshape(entry.shape).view(np.ndarray)

    def floats(self, name: str) -> npt.NDArray[np.float32]:
        """Return an array as 32-bit floats.

        Raises:
            BundleError: it does not hold floats.
        """
        entry = self.entries[name]
        if entry.kind == "BF16":
            return (self.array(name).astype(np.uint32) << 16).view(np.float32)
        if entry.kind not in ("F32", "F16"):
            raise BundleError(f"{self.path}: {name} is of type {entry.kind}; F32, F16 and BF16 are read")
        return self.array(name).astype(np.float32)


def _entries(length: bytes, read: Any, size: int, path: Path) -> dict[str, Entry]:
    header_bytes = int.from_bytes(length, "little")
    if len(length) < 8 or not 2 <= header_bytes <= min(_LARGEST_HEADER, size - 8):
        raise BundleError(f"{path} is no safetensors file, or it is cut: it has {size:,} bytes")
    try:
        header = json.loads(read(header_bytes))
    except (ValueError, RecursionError):
        raise BundleError(f"{path} is no safetensors file: its header is not JSON") from None
    if not isinstance(header, dict) or len(header) > _MOST_ARRAYS:
        raise BundleError(f"{path} is no safetensors file: its header is no list of arrays")
    header.pop("__metadata__", None)
    found = {name: _entry(name, described, 8 + header_bytes, path) for name, described in header.items()}
    end = 8 + header_bytes
    for name, entry in sorted(found.items(), key=lambda item: (item[1].start, item[1].nbytes)):
        if entry.start != end:
            raise BundleError(f"{path}: {name!r:.60} does not begin where the array before it ends")
        end += entry.nbytes
    if end != size:
        raise BundleError(f"{path} has {size:,} bytes, and its header describes {end:,}; it may be cut")
    return found


def _entry(name: str, described: Any, begin: int, path: Path) -> Entry:
    described = described if isinstance(described, dict) else {}
    kind, shape, offsets = (described.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(kind, str) or kind not in _TYPES:
        raise BundleError(f"{path}: {name!r:.60} is of type {shown(kind)}; {', '.join(_TYPES)} are read")
    if not (_are_whole(shape) and _are_whole(offsets)) or len(offsets) != 2 or len(shape) > _MOST_DIMENSIONS:
        raise BundleError(f"{path}: {name!r:.60} has no shape or no place in the file")
    entry = Entry(kind, tuple(shape), begin + offsets[0])
    if entry.nbytes != offsets[1] - offsets[0]:
        raise BundleError(f"{path}: the place of {name!r:.60} in the file does not fit its shape")
    return entry


def _are_whole(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**48 for value in values)


def pieces(
    shapes: Mapping[str, tuple[str, tuple[int, ...]]], arrays: Iterable[npt.NDArray[Any]]
) -> Iterator[bytes | memoryview]:
    """Yield a safetensors file piece by piece, so that one array is in memory at a time.

    Args:
        shapes: type and shape of each array under its name, in the order of the file.
        arrays: the arrays in that order.
    """
    header, end = {}, 0
    for name, (kind, shape) in shapes.items():
        begin, end = end, end + math.prod(shape) * _TYPES[kind].itemsize
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    yield len(text).to_bytes(8, "little") + text
    for (kind, shape), array in zip(shapes.values(), arrays, strict=True):
        if array.shape != shape:
            raise ValueError(f"an array has the shape {array.shape}; {shape} was announced")
        yield np.ascontiguousarray(array, _TYPES[kind]).reshape(-1).view(np.uint8).data
