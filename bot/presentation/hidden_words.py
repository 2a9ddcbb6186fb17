"""A server's list of words that are not shown: whole words, whatever their case and width. Pure."""

import functools

import regex

from bot.presentation import safe_text
from textgen.graphemes import graphemes
from textgen.normal_forms import normalize

HIDDEN = "▒▒▒"

# Scripts that put no space between words: there a word is hidden wherever it stands.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


def hide(text: str, words: str) -> str:
    """The text, cleaned, with every hidden word as `HIDDEN`.

    Args:
        text: as a model or a person wrote it.
        words: the list, one word (or several in a row) a line.
    """
    pattern = _pattern(words)
    cleaned = safe_text.clean(text)
    if pattern is None:
        return cleaned
    folded, owners, pieces = _folded(cleaned)
    shown: list[str] = []
    position = 0
    for match in pattern.finditer(folded):
        first, last = owners[match.start()], owners[match.end() - 1] + 1
        if first < position:
            continue  # it begins within a grapheme that is hidden already
        shown += pieces[position:first]
        shown.append(HIDDEN)
        position = last
    return "".join([*shown, *pieces[position:]])


@functools.lru_cache(maxsize=256)
def _pattern(words: str) -> "regex.Pattern[str] | None":
    entries = {" ".join(_fold(safe_text.clean(line)).split()) for line in words.split("\n")}
    entries.discard("")
    if not entries:
        return None
    # The longest first: of two that begin alike the longer one is hidden whole.
    return regex.compile("|".join(_as_whole(entry) for entry in sorted(entries, key=len, reverse=True)))


def _as_whole(entry: str) -> str:
    inside = r"\s+".join(regex.escape(word) for word in entry.split(" "))
    before = r"(?<!\w)" if _borders(entry[0]) else ""
    after = r"(?!\w)" if _borders(entry[-1]) else ""
    return f"{before}{inside}{after}"


def _borders(character: str) -> bool:
    return regex.match(r"\w", character) is not None and not _UNSPACED.match(character)


def _folded(text: str) -> tuple[str, list[int], list[str]]:
    """The text as it is compared, which grapheme each of its characters comes from, and the graphemes."""
    pieces = graphemes(text)
    folded = [_fold(piece) for piece in pieces]
    owners = [number for number, piece in enumerate(folded) for _ in piece]
    return "".join(folded), owners, pieces


def _fold(text: str) -> str:
    return normalize("NFKC", normalize("NFKC", text).casefold())
