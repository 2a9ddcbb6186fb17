"""The levels: what a token is. `textgen.tokenizers` has a tokenizer for each.

This module must not import NumPy or Keras: the bot's process reads it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """What a token is.

    Attributes:
        name: as in ``--level`` and in bundles.
        token: what a loss is counted for, as people read it: "character", "byte" or "token".
        unit: what the length of a sample counts: "characters", or "words" (punctuation marks and line
            breaks among them).
        enough: characters of text that the level needs to be learned at all well. With less, a model mostly
            repeats what it read: the more a token holds, the rarer each token is.
    """

    name: str
    token: str
    unit: str
    enough: int


CHAR = Level("char", "character", "characters", enough=20_000)
WORD = Level("word", "token", "words", enough=300_000)
SUBWORD = Level("subword", "token", "characters", enough=100_000)
BYTE = Level("byte", "byte", "characters", enough=20_000)

LEVELS = {level.name: level for level in (CHAR, WORD, SUBWORD, BYTE)}
DEFAULT_LEVEL = CHAR.name
SPELLING = (CHAR.name, BYTE.name)
"""The levels at which a word takes several tokens."""
