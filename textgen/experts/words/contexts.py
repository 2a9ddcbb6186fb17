"""How far back the expert for words looks from a position, and what it finds there.

A text is a sequence of *pieces*: words, and runs of separators between them. The chain of contexts of a
position goes back from the newest character:

=====  =======================================================================
level  the context reaches back to
=====  =======================================================================
1 - 3  the last character, the last two, the last three
4      the beginning of this word
5      the beginning of the separators before it
6      the beginning of the word before those
7      the beginning of the word before that; separators between the two do not matter
=====  =======================================================================

After a word, "this word" is empty and the separators before it are those written so far. A level that
reaches no further than the one before it is left out. Where a word begins is decided by what came before
it alone: the same in a text, and in a sample of which the rest is not written yet.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import regex

from textgen.experts.chains.chain import BEFORE, FURTHEST, LEVEL_BITS, LEVELS, Chains, Places
from textgen.experts.ngram_order import Keys, Numbers
from textgen.experts.tree import Tree, numbered

CHARACTERS = 3
"""Levels whose contexts are the last characters, whatever they are."""

SEPARATOR, LETTER, JOINER, WHOLE = range(4)
"""Kinds of characters: joiners belong to a word after a letter only, and a whole is a word by itself."""

_PATTERNS = {
    # Scripts whose words are not divided by spaces: UAX #29 breaks around each such character, too.
    WHOLE: r"[\p{Ideographic}\p{Script=Hiragana}\p{Line_Break=Complex_Context}]",
    LETTER: (
        r"[\p{Word_Break=ALetter}\p{Word_Break=Hebrew_Letter}\p{Word_Break=Numeric}\p{Word_Break=Katakana}"
        r"\p{Word_Break=ExtendNumLet}\p{Word_Break=Extend}\p{Word_Break=Format}\p{Word_Break=ZWJ}]"
    ),
    JOINER: r"[\p{Word_Break=Single_Quote}\p{Word_Break=MidNumLet}--.]",
}


def kinds_of(characters: list[str]) -> npt.NDArray[np.uint8]:
    """Return the kind of each character by its Unicode properties (UAX #29), shape (characters,).

    A text of more than one character, such as the name of an unknown token, is a separator.
    """
    found = np.empty(len(characters), np.uint8)
    kinds = {kind: regex.compile(pattern, regex.V1) for kind, pattern in _PATTERNS.items()}
    for place, character in enumerate(characters):
        matching = (kind for kind, pattern in kinds.items() if pattern.fullmatch(character))
        found[place] = next(matching, SEPARATOR)
    return found


class Pieces:
    """The pieces of texts.

    Attributes:
        tokens: shape (texts × tokens,): one text after the other.
        word: whether a token belongs to a word, same shape.
        start: place of the first token of each token's piece, same shape.
        node: the node of `tree` for the piece up to each token; -1 if it is not there. Same shape.
        tree: the pieces by their tokens.
    """

    def __init__(self, texts: Numbers, kinds: npt.NDArray[np.uint8], tree: Tree | None = None) -> None:
        """Divide texts into pieces.

        Args:
            texts: tokens, shape (texts, tokens).
            kinds: the kind of each token.
            tree: known pieces; None to collect those of the texts.
        """
        self.width = texts.shape[1]
        self.tokens = np.ascontiguousarray(texts, np.int32).reshape(-1)
        kind = kinds[self.tokens]
        before = np.concatenate([[np.uint8(SEPARATOR)], kind[:-1]])
        self.word = (kind == LETTER) | (kind == WHOLE) | ((kind == JOINER) & (before == LETTER))
        begins = np.empty(len(kind), bool)
        begins[1:] = (self.word[1:] != self.word[:-1]) | (kind[1:] == WHOLE) | (before[1:] == WHOLE)
        begins[:: self.width] = True
        places = np.arange(len(kind), dtype=np.int32)
        self.start = np.maximum.accumulate(np.where(begins, places, np.int32(0)))
        self.node = np.full(len(kind), -1, np.int32)
        depth = places - self.start
        order = np.argsort(np.minimum(depth, BEFORE).astype(np.uint8), kind="stable")
        ends = np.searchsorted(depth[order], np.arange(BEFORE + 1))
        grown: list[Keys] = []
        nodes = 1
        for length in range(BEFORE):
            here = order[ends[length] : ends[length + 1]]
            parents = self.node[here - 1].astype(np.int64) if length else np.zeros(len(here), np.int64)
            if tree is None and len(here):
                edges, found = numbered(parents, self.tokens[here])
                self.node[here] = nodes + found
                nodes += len(edges)
                grown.append(edges)
            elif tree is not None:
                here, parents = here[parents >= 0], parents[parents >= 0]
                if len(here):
                    found, known = tree.find(parents, self.tokens[here])
                    self.node[here] = np.where(known, found, -1)
        self.tree = Tree.of(grown) if tree is None else tree

    def chains(self, places: Places) -> Chains:
        """Return the chain of contexts of the tokens after some places; `BEFORE` tokens come before each."""
        word = self.word[places]
        this = np.where(word, self.start[places], places + 1)
        prefix = np.where(word, self.node[places], 0)
        gap, separators = self._before(this, words=False)
        previous, last_word = self._before(gap, words=True)
        second_gap, _ = self._before(previous, words=False)
        second, word_before = self._before(second_gap, words=True)
        many = len(places)
        # What lies past the end of a chain is written to one row too many.
        keys = np.full((LEVELS + 1, many), -1, np.int32)
        lengths = np.zeros((LEVELS + 1, many), np.int32)
        for back in range(CHARACTERS):
            keys[back] = (self.tokens[places - back] << LEVEL_BITS) | (back + 1)
            lengths[back] = back + 1
        depth, reach = np.full((2, many), CHARACTERS, np.int32)
        goes_on = np.ones(many, bool)
        rows = np.arange(many, dtype=np.int32)
        added = (prefix, this), (separators, gap), (last_word, previous), (word_before, second)
        for level, (node, start) in enumerate(added, start=CHARACTERS + 1):
            length = places - start + 1
            further = length > reach
            goes_on &= ~further | ((node >= 0) & (length <= FURTHEST))
            further &= goes_on
            here = np.where(further, depth, LEVELS) * np.int64(many) + rows
            keys.reshape(-1)[here] = (node << LEVEL_BITS) | level
            lengths.reshape(-1)[here] = length
            depth += further
            np.copyto(reach, length, where=further)
        keys[LEVELS] = -1
        return Chains(keys[:LEVELS], lengths[:LEVELS])

    def _before(self, ends: Places, *, words: bool) -> tuple[Places, Places]:
        """Return start and node of the piece before some places; an empty one where another kind stands.

        An empty run of separators is the root. A missing word is unknown.
        """
        last = np.maximum(ends - 1, 0)
        stands = (self.word[last] == words) & (ends > 0)
        return (
            np.where(stands, self.start[last], ends),
            np.where(stands, self.node[last], np.int32(-1 if words else 0)),
        )
