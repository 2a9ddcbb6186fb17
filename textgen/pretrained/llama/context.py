"""What a text remembers: the keys and values of its tokens, in blocks that texts share.

A `Context` is a value that never changes. One more token makes another context, which shares all blocks with
the one before: the new keys go to a free place of the last block, or to a copy of it if another text has
taken that place. So a batch grows, shrinks and branches by copying references, and texts with the same prompt
hold its keys once.

A context slides when it is full: the oldest block after the first leaves. The first stays, because a network
that was trained without sliding puts much of its attention on the first tokens and breaks without them
("sinks", Xiao et al. 2023). Its keys are turned, so that it lies directly before the others.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from textgen.inference.numerics import Float32
from textgen.pretrained.llama.changes import Changes
from textgen.pretrained.spec import LlamaSpec

BLOCK = 32
"""Tokens in a block."""

LONGEST = 1024
"""Most tokens that a context holds. Each takes 46 kB with a base of 135 million parameters."""

_claims = threading.Lock()


def blocks_of(spec: LlamaSpec) -> int:
    """Return the number of blocks of a full context, at least two."""
    return max(2, min(spec.context, LONGEST) // BLOCK)


class Block:
    """Keys and values of some tokens.

    Attributes:
        keys: shape (layers, key and value heads, head size, BLOCK): tokens side by side.
        values: shape (layers, key and value heads, BLOCK, head size).
        filled: number of tokens whose places are taken.
    """

    __slots__ = ("filled", "keys", "values")

    def __init__(self, spec: LlamaSpec) -> None:
        """Make an empty block."""
        shape = (2, spec.layers, spec.key_value_heads, spec.head * BLOCK)
        both: Float32 = np.zeros(shape, np.float32)
        self.keys = both[0].reshape(*shape[1:3], spec.head, BLOCK)
        self.values = both[1].reshape(*shape[1:3], BLOCK, spec.head)
        self.filled = 0

    def copy(self) -> Block:
        """Return a block with the same keys and values."""
        other = object.__new__(Block)
        both = np.stack([self.keys.reshape(-1), self.values.reshape(-1)])
        other.keys, other.values = both[0].reshape(self.keys.shape), both[1].reshape(self.values.shape)
        other.filled = self.filled
        return other


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """The tokens that a text has read.

    Attributes:
        spec: the base's sizes.
        changes: the adapter that the text is written with.
        blocks: their keys and values; each block but the last is full.
        addresses: where each block begins in memory, for compiled code; shape (blocks,).
        length: number of tokens that were read, those that have left included.
        first: the first block as it was read, before it was turned.
    """

    spec: LlamaSpec
    changes: Changes
    blocks: tuple[Block, ...] = ()
    addresses: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    length: int = 0
    first: Block | None = None

    @property
    def room(self) -> int:
        """Number of tokens that can be read at once: they go to one block."""
        return BLOCK - self.length % BLOCK

    def copy(self) -> Context:
        """Return the context itself, which never changes."""
        return self

    def grown(self, count: int) -> Context:
        """Return a context with places for ``count`` more tokens, at most `room`."""
        place = self.length % BLOCK
        if not place:
            return self._with_block(count)
        last = self.blocks[-1]
        with _claims:
            free = last.filled == place
            if free:
                last.filled += count
        if free:
            return self._with(self.blocks, self.addresses, count, self.first)
        last = last.copy()
        last.filled = place + count
        blocks = (*self.blocks[:-1], last)
        return self._with(blocks, _addresses(blocks), count, last if len(blocks) == 1 else self.first)

    def _with_block(self, count: int) -> Context:
        added = Block(self.spec)
        added.filled = count
        kept, first = self.blocks, self.first or added
        if len(kept) == blocks_of(self.spec):
            moved = self.length - (len(kept) - 1) * BLOCK
            kept = (_turned(first, moved, self.spec), *kept[2:])
        blocks = (*kept, added)
        return self._with(blocks, _addresses(blocks), count, first)

    def _with(
        self, blocks: tuple[Block, ...], addresses: npt.NDArray[np.int64], count: int, first: Block | None
    ) -> Context:
        return Context(self.spec, self.changes, blocks, addresses, self.length + count, first)


def rotations(positions: npt.NDArray[np.intp], spec: LlamaSpec) -> tuple[Float32, Float32]:
    """Return cosine and sine of the angles at some positions, each of shape (positions, head size / 2).

    They are rounded to 32 bits, which removes the differences between libraries.
    """
    angles = positions[:, None] * np.array(spec.frequencies())
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _turned(block: Block, positions: int, spec: LlamaSpec) -> Block:
    """Return a block whose keys lie so many positions later."""
    cosine, sine = rotations(np.array([positions]), spec)
    c, s = cosine.T.astype(np.float64), sine.T.astype(np.float64)
    half = spec.head // 2
    left, right = block.keys[:, :, :half], block.keys[:, :, half:]
    turned = block.copy()
    turned.keys[:, :, :half] = left * c - right * s
    turned.keys[:, :, half:] = right * c + left * s
    return turned


def _addresses(blocks: tuple[Block, ...]) -> npt.NDArray[np.int64]:
    return np.array([block.keys.ctypes.data for block in blocks], np.int64)
