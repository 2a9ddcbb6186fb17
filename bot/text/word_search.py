"""Finds the words of a list in a text, also disguised ones, in time linear in the text. Pure.

Texts and entries are compared letter by letter in a folded form: without case, width, accents and invisible
characters. Underscores, dots and Markdown may stand between the letters of a word, and a digit or a letter of
another alphabet may replace a letter. All entries are searched at once, in a trie of their letters.
"""

import functools
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import regex

from textgen.unicode.normal_forms import normalize

_UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\u2800\uFFF9-\uFFFB]")
# Marks of no script of their own: accents, strokes, vowel points. Those of Kana make other letters.
_LOOSE_MARKS = regex.compile(r"(?V1)[[[\p{M}&&\p{Script=Inherited}]\p{Me}]--[\u3099\u309A]]")
_ALPHABETS = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}]")
_OWN_LETTERS = frozenset("ñй")
# Letters in black circles and squares are no letters to Unicode's compatibility forms.
_SQUARED = {first + number: 97 + number for first in (0x1F150, 0x1F170) for number in range(26)}
# Scripts that put no space between words: there a word is found wherever it stands.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")

_INSIDE, _MOST_INSIDE = frozenset("_.·•․*~`|\\"), 3
_BETWEEN_WORDS = _INSIDE | {"-"}
# Letters that are spelled out have the same of these between any two.
_SPELLING = ("   ", "  ", " ", "\n", "-", "–", "/", ", ", ",", ". ", "· ", "• ")
_SHORTEST_DISGUISED, _SHORTEST_SPELLED = 3, 4

_LOOKALIKES = (
    *("aаα4@", "bв8", "cсϲ", "eеε3€", "g9", "hн", "iіι1!", "kкκ", "l1!|", "mм", "oоο0", "pрρ", "sѕ5$"),
    *("tтτ7", "xхχ", "yуγ", "zз2", "з3", "ч4"),
)
_ALIKE = {
    letter: frozenset("".join(group for group in _LOOKALIKES if letter in group))
    for letter in "".join(_LOOKALIKES)
    if letter.isalpha()
}
# Behind a word these are no letters.
_ENDING = frozenset("!|")
_ORDINAL = regex.compile(r"\d+(?:st|nd|rd|th)")


@functools.lru_cache(maxsize=8192)
def with_accents(text: str) -> str:
    """The text folded, its accents kept; what stands above or through letters besides goes."""
    seen = _UNSEEN.sub("", text).translate(_SQUARED)
    folded = normalize("NFKC", normalize("NFKC", seen).casefold())
    return _UNSEEN.sub("", _LOOSE_MARKS.sub("", folded))


@functools.lru_cache(maxsize=8192)
def without_accents(text: str) -> str:
    """The text folded, without the accents of letters that are the same letter with them."""
    return "".join(map(_without_accent, with_accents(text)))


def _without_accent(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base != letter and letter not in _OWN_LETTERS and _ALPHABETS.match(base) else letter


@dataclass(slots=True)
class _Node:
    """A place in the tree: what may come next, and the entries that end here."""

    following: dict[str, "_Node"] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)


class WordSearch:
    """Looks for entries that are folded in one way.

    Args:
        entries: folded, words of an entry with one space between them.
        fold: how the text is folded.
    """

    def __init__(self, entries: Sequence[str], fold: Callable[[str], str]) -> None:
        self._fold = fold
        # Those that stand alone as words, and those that are found anywhere.
        self._words, self._anywhere = _Node(), _Node()
        for entry in entries:
            node = self._words if _borders(entry[0]) else self._anywhere
            for symbol in entry:
                node = node.following.setdefault(_key(symbol), _Node())
            node.entries.append(entry)

    def places(self, pieces: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Where entries stand: the first and the last of the pieces of each.

        Args:
            pieces: the text's graphemes.
        """
        folded = list(map(self._fold, pieces))
        text = "".join(folded)
        owners = [number for number, piece in enumerate(folded) for _ in piece]
        keys = list(map(_key, text))
        position = 0
        apart = True
        while position < len(text):
            end = 0
            if apart and keys[position] in self._words.following:
                end = max(self._end(self._words, text, keys, position), self._spelled(text, keys, position))
            if keys[position] in self._anywhere.following:
                end = max(end, self._end(self._anywhere, text, keys, position))
            if end:
                yield owners[position], owners[end - 1]
            position = max(position + 1, end)
            apart = not text[position - 1].isalnum()

    def _end(self, root: _Node, text: str, keys: Sequence[str], start: int) -> int:
        """Where the longest entry ends that begins at a place; 0 if there is none."""
        best = 0
        ways: list[tuple[_Node, int, str]] = [(root, start, "")]
        while ways:
            node, position, written = ways.pop()
            if any(_stands(entry, written, text, position) for entry in node.entries):
                best = max(best, position)
            if position == len(text):
                continue
            symbol = text[position]
            if " " in node.following and (symbol.isspace() or symbol in _BETWEEN_WORDS):
                ways.append((node.following[" "], _after_gap(text, position), written + " "))
            following = node.following.get(keys[position])
            if following is not None and symbol != " ":
                ways.append((following, position + 1, written + symbol))
            elif symbol in _INSIDE and written[-1:].isalnum():
                after = position + 1
                while after < len(text) and text[after] in _INSIDE and after - position < _MOST_INSIDE:
                    after += 1
                if after < len(text) and text[after] not in _INSIDE:
                    following = node.following.get(keys[after])
                    if following is not None and not text[after].isspace():
                        ways.append((following, after + 1, written + text[after]))
        return best

    def _spelled(self, text: str, keys: Sequence[str], start: int) -> int:
        """Where the longest entry ends that is spelled out letter by letter; 0 if there is none."""
        best, node, position, written, between = 0, self._words, start, "", ""
        while position < len(text):
            following = node.following.get(keys[position])
            if following is None or text[position].isspace():
                break
            node, written, position = following, written + text[position], position + 1
            if len(written) >= _SHORTEST_SPELLED and any(
                _stands(entry, written, text, position) for entry in node.entries
            ):
                best = position
            between = between or _spelling_at(text, position)
            if not between or not text.startswith(between, position):
                break
            position += len(between)
        return best


def _spelling_at(text: str, position: int) -> str:
    return next((between for between in _SPELLING if text.startswith(between, position)), "")


def _key(symbol: str) -> str:
    """What a letter and all that looks like it have in common."""
    return _KEYS.get(symbol, symbol)


def _keys() -> dict[str, str]:
    classes: list[set[str]] = []
    for group in map(set, _LOOKALIKES):
        touching = [known for known in classes if known & group]
        classes = [known for known in classes if not known & group] + [group.union(*touching)]
    return {symbol: min(group) for group in classes for symbol in group}


_KEYS = _keys()


def _after_gap(text: str, position: int) -> int:
    while position < len(text) and (text[position].isspace() or text[position] in _BETWEEN_WORDS):
        position += 1
    return position


def _stands(entry: str, written: str, text: str, end: int) -> bool:
    """Whether what is written is the entry, and a word of its own."""
    if len(written) != len(entry) or (_borders(entry[-1]) and text[end : end + 1].isalnum()):
        return False
    if written == entry:
        return True
    if len(entry) < _SHORTEST_DISGUISED or _ORDINAL.fullmatch(written) or written[-1] in _ENDING:
        return False
    pairs = list(zip(entry, written, strict=True))
    # Look-alikes alone are a number, or a word of another alphabet.
    return any(own == other and own.isalpha() for own, other in pairs) and all(
        own == other or other in _ALIKE.get(own, ()) for own, other in pairs
    )


def _borders(character: str) -> bool:
    return character.isalnum() and not _UNSPACED.match(character)
