"""How GGUF packs numbers: blocks of a few bits a number, with a scale for each block.

The layouts are those of ``block_*`` in https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h.
Nibbles lie in halves: the low ones are the first half of a block, the high ones the second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_Bytes = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Block:
    """A way to pack numbers.

    Attributes:
        name: as llama.cpp calls it.
        numbers: numbers in a block.
        nbytes: bytes of a block.
        unpack: from blocks, shape (blocks, nbytes), to numbers, shape (blocks, numbers).
    """

    name: str
    numbers: int
    nbytes: int
    unpack: Callable[[_Bytes], _Floats]


def _halves(blocks: _Bytes, start: int = 0) -> _Floats:
    """Return the half-precision number that begins at a byte of each block, shape (blocks, 1)."""
    return np.ascontiguousarray(blocks[:, start : start + 2]).view("<f2").astype(np.float32)


def _nibbles(packed: _Bytes) -> _Floats:
    return np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float32)


def _f32(blocks: _Bytes) -> _Floats:
    return np.ascontiguousarray(blocks).view("<f4").astype(np.float32)


def _bf16(blocks: _Bytes) -> _Floats:
    return (np.ascontiguousarray(blocks).view("<u2").astype(np.uint32) << 16).view(np.float32)


def _q8_0(blocks: _Bytes) -> _Floats:
    return _halves(blocks) * blocks[:, 2:].view(np.int8).astype(np.float32)


def _q4_0(blocks: _Bytes) -> _Floats:
    return _halves(blocks) * (_nibbles(blocks[:, 2:]) - 8)


def _q4_1(blocks: _Bytes) -> _Floats:
    return _halves(blocks) * _nibbles(blocks[:, 4:]) + _halves(blocks, 2)


def _q4_k(blocks: _Bytes) -> _Floats:
    """Unpack eight groups of 32 numbers, each with a scale and a minimum of 6 bits."""
    packed = blocks[:, 4:16]
    low, high, rest = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([low & 63, (rest & 15) | ((low >> 6) << 4)], axis=1).astype(np.float32)
    minima = np.concatenate([high & 63, (rest >> 4) | ((high >> 6) << 4)], axis=1).astype(np.float32)
    numbers = _nibbles(blocks[:, 16:].reshape(-1, 4, 32)).reshape(-1, 8, 32)
    scaled = (_halves(blocks) * scales)[..., None] * numbers
    found: _Floats = scaled - (_halves(blocks, 2) * minima)[..., None]
    return found.reshape(len(blocks), -1)


def _q6_k(blocks: _Bytes) -> _Floats:
    """Unpack sixteen groups of 16 numbers with a scale of 8 bits each; a number has 4 low and 2 high bits."""
    low = blocks[:, :128].reshape(-1, 2, 2, 32)
    high = blocks[:, 128:192].reshape(-1, 2, 1, 32)
    scales = blocks[:, 192:208].view(np.int8).astype(np.float32) * _halves(blocks, 208)
    nibbles = np.concatenate([low & 15, low >> 4], axis=2)
    pairs = np.concatenate([high >> shift & 3 for shift in (0, 2, 4, 6)], axis=2)
    numbers = (nibbles | (pairs << 4)).astype(np.float32) - 32
    found: _Floats = numbers.reshape(-1, 16, 16) * scales[:, :, None]
    return found.reshape(len(blocks), -1)


BLOCKS = {
    0: Block("F32", 1, 4, _f32),
    1: Block("F16", 1, 2, _halves),
    2: Block("Q4_0", 32, 18, _q4_0),
    3: Block("Q4_1", 32, 20, _q4_1),
    8: Block("Q8_0", 32, 34, _q8_0),
    12: Block("Q4_K", 256, 144, _q4_k),
    14: Block("Q6_K", 256, 210, _q6_k),
    30: Block("BF16", 1, 2, _bf16),
}
"""By the numbers of the file."""
