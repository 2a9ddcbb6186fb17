"""A base as a source holds it, before it is converted into one of our kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.argument_checks import shown
from textgen.errors import BundleError
from textgen.pretrained.spec import LlamaSpec
from textgen.pretrained.tokenizer import LONGEST_TOKEN, MAXIMUM_TOKENS, BaseTokenizer
from textgen.tokenizers.base import UNKNOWN

Weight = Callable[[str], npt.NDArray[np.float32]]

OUR_FAMILY = "Llama's family (such as SmolLM2 and Llama 3) is read"


@dataclass(frozen=True, slots=True)
class Found:
    """A base in a source.

    Attributes:
        name: what to call it if the user does not say.
        spec: its sizes.
        tokenizer: its tokenizer.
        weight: returns a weight under its name in `LlamaSpec.shapes`, in that shape.
        licence: as its publisher names it, or "unknown".
        languages: codes of its languages, if its publisher says.
        title: its publisher's name for it.
    """

    name: str
    spec: LlamaSpec
    tokenizer: BaseTokenizer
    weight: Weight
    licence: str = "unknown"
    languages: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a published tokenizer consists of.

    Attributes:
        vocabulary: tokens by their numbers, as letters of GPT-2's alphabet. Numbers may be missing: sizes are
            often rounded up.
        merges: pairs of tokens, the first merge first.
        split: one of `textgen.pretrained.tokenizer.SPLITS`.
        special: numbers of the tokens that stand for no text.
        start: number of the token that begins every text, or None.
        whole_first: whether a piece that is a token is taken as it is.
    """

    vocabulary: dict[int, str]
    merges: Sequence[tuple[str, str]]
    split: str
    special: frozenset[int]
    start: int | None
    whole_first: bool = False


def numbered(pieces: Pieces, size: int) -> tuple[BaseTokenizer, int]:
    """Return the tokenizer of a base, and the token that has changed its number with token 0.

    Token 0 must be special here. If it is a piece of text, the first special token takes its place.

    Args:
        pieces: the published tokenizer.
        size: number of tokens of the network.

    Raises:
        BundleError: the tokenizer does not fit the network, or has no special token.
    """
    if not pieces.special:
        raise BundleError("the tokenizer has no special token, such as <|endoftext|>; every base has one")
    highest = max((*pieces.vocabulary, *pieces.special))
    if not highest < size <= MAXIMUM_TOKENS:
        raise BundleError(f"the tokenizer has a token {highest:,}, and the network has {size:,} tokens")
    missing = [token for token in range(size) if token not in pieces.vocabulary]
    vocabulary = pieces.vocabulary | {token: f"<unused {token}>" for token in missing}
    special = pieces.special | set(missing)
    other = UNKNOWN if UNKNOWN in special else min(special)
    names = [vocabulary[token] for token in range(size)]
    names[UNKNOWN], names[other] = names[other], names[UNKNOWN]
    exchanged = {UNKNOWN: other, other: UNKNOWN}
    tokenizer = BaseTokenizer(
        names,
        pieces.merges,
        pieces.split,
        [exchanged.get(token, token) for token in special],
        None if pieces.start is None else exchanged.get(pieces.start, pieces.start),
        whole_first=pieces.whole_first,
    )
    return tokenizer, other


def with_rows_exchanged(weight: Weight, other: int) -> Weight:
    """Return weights whose rows of token 0 and another token have changed places; see `numbered`."""
    if other == UNKNOWN:
        return weight

    def exchanged(name: str) -> npt.NDArray[np.float32]:
        array = weight(name)
        if name in ("embedding", "output"):
            array = array.copy()
            array[[UNKNOWN, other]] = array[[other, UNKNOWN]]
        return array

    return exchanged


def start_of(special: dict[str, int], begins: object) -> int | None:
    """Return the token that begins every text.

    Args:
        special: the special tokens by their names.
        begins: the number of the token that the publisher puts before a text, or None if there is none.
    """
    if type(begins) is int and begins in special.values():
        return begins
    # GPT-2 and its heirs saw this token between any two documents of their training.
    return special.get("<|endoftext|>")


def name_from(text: str) -> str:
    """Return a name that a base can have, from a file's or a publisher's name."""
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")[:64]
    return name or "base"


def check_token(letters: object) -> str:
    """Return a token of a published vocabulary.

    Raises:
        BundleError: it is no text, or too long.
    """
    if isinstance(letters, str) and 1 <= len(letters) <= LONGEST_TOKEN:
        return letters
    raise BundleError(
        f"the tokenizer has the token {shown(letters)}; each must be 1 to {LONGEST_TOKEN} letters"
    )
