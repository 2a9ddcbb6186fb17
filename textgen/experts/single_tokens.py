"""What an n-gram model expects of one token at each position, without the probabilities of all others.

For a vocabulary of tens of thousands of tokens this is thousands of times less work than
`KneserNey.expect`, which says the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textgen.experts.kneser_ney import KneserNey
from textgen.experts.ngram_order import Floats, Integers, Numbers


@dataclass(frozen=True, slots=True)
class Expectations:
    """What was found at each position.

    Attributes:
        probabilities: of the token, shape (positions,).
        known: tokens of the longest context that was counted, shape (positions,).
        shares: the share of the probability that this context leaves to shorter ones, shape (positions,).
    """

    probabilities: Floats
    known: Integers
    shares: Floats


def expect(counted: KneserNey, windows: Numbers) -> Expectations:
    """Return what is expected of the last token of each window.

    Args:
        counted: the n-gram model.
        windows: shape (positions, before + 1): the `KneserNey.before` tokens before a token, and the token.
    """
    positions, base = len(windows), np.uint64(counted.vocabulary)
    found = np.full(positions, 1 / counted.vocabulary, np.float32)
    known, shares = np.zeros(positions, np.int64), np.ones(positions, np.float32)
    gram = np.zeros(positions, np.uint64)
    for length, order in enumerate(counted.orders):
        gram = gram + windows[:, -1 - length].astype(np.uint64) * base ** np.uint64(length)
        context, usable = counted.find(length, gram // base)
        place, came = counted.find(length + 1, gram)
        own = np.where(came, order.relative[place], np.float32(0))
        found = np.where(usable, found * order.shares[context] + own, found)
        known[usable], shares[usable] = length, order.shares[context[usable]]
    return Expectations(found, known, shares)


def after(counted: KneserNey, contexts: Numbers) -> Expectations:
    """Return how much is known after each context; the probabilities are those of the token 0.

    Args:
        counted: the n-gram model.
        contexts: the tokens before each position, shape (positions, before).
    """
    return expect(counted, np.concatenate([contexts, np.zeros((len(contexts), 1), contexts.dtype)], axis=1))
