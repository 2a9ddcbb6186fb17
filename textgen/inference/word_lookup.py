"""Looking up words in NumPy, with caches: one text and one token at a time."""

from __future__ import annotations

from textgen.experts.chains.chain import BEFORE, FURTHEST
from textgen.experts.expert import unconfident
from textgen.experts.ngram_order import Floats
from textgen.experts.words import Words
from textgen.experts.words.contexts import CHARACTERS, JOINER, LETTER, WHOLE
from textgen.inference.chain_lookup import ChainLookup

_KEPT_BYTES = 4 << 20

_Known = tuple[Floats, Floats, int, int]
"""Probabilities, confidences, context and its length after the separators; a context of -1 ends the chain."""


class WordLookup(ChainLookup):
    """Returns what the expert for words expects, for a few positions or for many."""

    def __init__(self, words: Words) -> None:
        """Begin with empty caches."""
        super().__init__(words)
        self._kinds = words.kinds.tolist()
        self._kept: dict[tuple[int, ...], _Known] = {}
        self._most = max(1, _KEPT_BYTES // (4 * words.vocabulary))

    def _one(self, tokens: list[int]) -> tuple[Floats, Floats]:
        """Return the probabilities and confidences after `BEFORE` tokens."""
        kinds = [self._kinds[token] for token in tokens]
        this = self._start(kinds, BEFORE) if _in_word(kinds, BEFORE - 1) else BEFORE
        gap = self._start(kinds, this) if this and not _in_word(kinds, this - 1) else this
        name = tuple(tokens[min(gap, BEFORE - CHARACTERS) :])
        kept = self._kept.get(name)
        if kept is None:
            kept = self._near(tokens, this, gap)
            if len(self._kept) >= self._most:
                # Emptying the cache is simpler than tracking ages: frequent contexts return at once.
                self._kept.clear()
            self._kept[name] = kept
        found, confidences, context, reach = kept
        if context < 0:
            return found, confidences
        found, confidences = found.copy(), confidences.copy()
        end = gap
        for level in (6, 7):
            if level == 7 and end and not _in_word(kinds, end - 1):
                end = self._start(kinds, end)
            node, start = -1, end
            if end and _in_word(kinds, end - 1):
                start = self._start(kinds, end)
                node = self._node(tuple(tokens[start:end]))
            length, end = BEFORE - start, start
            if length <= reach:
                continue
            context = self._deeper(found, confidences, context, node, level) if length <= FURTHEST else -1
            if context < 0:
                break
            reach = length
        return found, confidences

    def _near(self, tokens: list[int], this: int, gap: int) -> _Known:
        """Return what is known of the last characters, of this word and of the separators before it."""
        found = self._alone.copy()
        confidences = unconfident(1, self._expert.confidences)[0]
        context = reach = 0
        for level in range(1, 6):
            start = BEFORE - level if level <= CHARACTERS else this if level == CHARACTERS + 1 else gap
            length = BEFORE - start
            if length <= reach:
                continue
            if length > FURTHEST:
                return found, confidences, -1, reach
            if level <= CHARACTERS:
                node = tokens[start]
            else:
                node = self._node(tuple(tokens[start : this if start < this else BEFORE]))
            context = self._deeper(found, confidences, context, node, level)
            if context < 0:
                return found, confidences, -1, reach
            reach = length
        return found, confidences, context, reach

    @staticmethod
    def _start(kinds: list[int], end: int) -> int:
        """Return where the piece before a place begins."""
        start = end - 1
        word = _in_word(kinds, start)
        while (
            start > 0
            and _in_word(kinds, start - 1) == word
            and kinds[start] != WHOLE
            and kinds[start - 1] != WHOLE
        ):
            start -= 1
        return start


def _in_word(kinds: list[int], place: int) -> bool:
    kind = kinds[place]
    return kind in (LETTER, WHOLE) or (kind == JOINER and place > 0 and kinds[place - 1] == LETTER)
