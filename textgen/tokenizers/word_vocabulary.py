"""The vocabulary of a word tokenizer: which words of a training text get a token."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from textgen.errors import BundleError
from textgen.tokenizers import treebank
from textgen.tokenizers.base import pieces

Splitting = Literal["treebank", "space"]

JOIN, SPACE, NEWLINE = "", " ", "\n"
"""Tokens that are no words: "" joins two words that would have a space between them."""

DEFAULT_WORDS = 20_000
MAXIMUM_WORDS = 200_000
LONGEST_WORD = 100
"""Longer words, in characters, are `UNKNOWN`."""

ONCE_IS_UNKNOWN = 20_000
"""In a text with more tokens, words that occur once are `UNKNOWN`. The model can learn nothing else about
them, and a model that has never seen an unknown word gives it no probability."""

_LARGEST_VOCABULARY = 8 << 20
_MOST_COUNTED = 500_000


def split(stretch: str, splitting: Splitting) -> list[str]:
    """Return the words of a text without white space in it."""
    return treebank.split(stretch) if splitting == "treebank" else stretch.split()


def most_frequent(
    text: str | Iterable[str], *, lowercase: bool, splitting: Splitting, special: tuple[str, ...], size: int
) -> tuple[list[str], list[tuple[list[str], int]]]:
    """Count the words of a training text.

    Args:
        text: clean text, whole or in pieces that end in line breaks.
        lowercase: whether the text is lower-cased first.
        splitting: how it is split into words.
        special: tokens that come first, whatever their count.
        size: highest number of words.

    Returns:
        The special tokens and then the most frequent words; and all different stretches between two
        blanks, each as its words and its count.
    """
    stretches, counts = _count(text, lowercase=lowercase, splitting=splitting)
    parts = [(split(stretch, splitting), count) for stretch, count in stretches.items()]
    for words, count in parts:
        for word in words:
            counts[word] += count
    return list(_ranked(counts, special))[:size], parts


def _count(
    text: str | Iterable[str], *, lowercase: bool, splitting: Splitting
) -> tuple[Counter[str], Counter[str]]:
    """Return the count of each stretch between two blanks, and of each run of blanks."""
    stretches: Counter[str] = Counter()
    blanks: Counter[str] = Counter()
    for piece in pieces(text):
        piece = piece.lower() if lowercase else piece
        if splitting == "space":
            stretches.update(piece.split())
        else:
            stretches.update(piece.replace("\n", " ").split(" "))
            blanks[NEWLINE] += piece.count("\n")
            blanks.update(re.findall(" {2,}", piece))
        _drop_rarest(stretches)
    del stretches[""]
    return stretches, blanks


def _drop_rarest(counts: Counter[str]) -> None:
    """Drop the rarest entries, so that a count (about 100 bytes an entry) has bounded memory."""
    least = 1
    while len(counts) > _MOST_COUNTED:
        for word in [word for word, count in counts.items() if count <= least]:
            del counts[word]
        least *= 2


def _ranked(counts: Counter[str], special: tuple[str, ...]) -> Iterator[str]:
    """Yield the special words and then the most frequent others, as many as fit into a bundle."""
    yield from special
    least = 2 if counts.total() > ONCE_IS_UNKNOWN else 1
    left = _LARGEST_VOCABULARY
    # Words with the same count are sorted by name, so the same text always gives the same vocabulary.
    for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        left -= len(word.encode("utf-8", "surrogatepass")) + 8
        if count < least or left < 0:
            return
        if len(word) <= LONGEST_WORD and word not in special:
            yield word


def check_json(data: dict[str, Any]) -> None:
    """Check the description of a tokenizer of words that ``tokenizer.json`` holds.

    Raises:
        BundleError: the data has another shape.
    """
    words, splitting = data.get("words"), data.get("splitting")
    lowercase, pristine_output = data.get("lowercase"), data.get("pristine_output")
    if (
        not isinstance(words, list)
        or not 1 <= len(words) <= MAXIMUM_WORDS
        or not all(isinstance(word, str) and len(word) <= LONGEST_WORD for word in words)
        or len(set(words)) != len(words)
    ):
        raise BundleError(
            f"tokenizer.json needs 1 to {MAXIMUM_WORDS:,} different `words` "
            f"of at most {LONGEST_WORD} characters"
        )
    for name in ("joins_left", "joins_right"):
        numbers = data.get(name)
        if not isinstance(numbers, list) or not all(
            type(number) is int and 1 <= number <= len(words) for number in numbers
        ):
            raise BundleError(f"tokenizer.json needs `{name}`: a list of numbers from 1 to {len(words):,}")
    if (
        not isinstance(lowercase, bool)
        or not isinstance(pristine_output, bool)
        or splitting not in ("treebank", "space")
    ):
        raise BundleError(
            "tokenizer.json needs `lowercase` and `pristine_output` (true or false) "
            "and `splitting` (treebank or space)"
        )
