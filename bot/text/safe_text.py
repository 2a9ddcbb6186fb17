"""Makes texts of models and people safe to show in Discord.

A model can write anything: mentions, invites, Markdown, direction overrides. A safe text pings nobody, has no
links, keeps its reading direction and shows Markdown as plain characters.
Every function is pure.
"""

import regex

from bot.text.cleaning import clean as clean
from bot.text.hidden_words import veil
from textgen.unicode.graphemes import graphemes

# Clients turn these into links even if the text around them is escaped, some in the middle of a word.
_SCHEMES = regex.compile(r":(?=//)|(?:mailto|tel|sms):(?=\S)", regex.IGNORECASE)
_WWW = regex.compile(r"www(?=\.)", regex.IGNORECASE)
# Clients show invites as cards even without a scheme.
_INVITES = regex.compile(
    r"discord(?=\.(?:gg|me|li|io)|(?:app)?\.com/invite)|(?:dsc|dis|invite)(?=\.(?:gg|gd))", regex.IGNORECASE
)
_PERSON = regex.compile(r"<@\d{1,20}>")
_MENTION = regex.compile(r"@(?=\S)")

BREAK = "\u200b"

_MARKDOWN = regex.compile(r"[\\*_~`|\[\]<]")
# Headings, quotes, lists and subtext are special at the start of a line only.
_LINE_START = regex.compile(r"^([ \t]*)(?=[#>+-]|\d{1,9}[.)])(\d*)", regex.MULTILINE)
_ESCAPED = regex.compile(r"\\([^0-9A-Za-z\s])")


def defuse(text: str) -> str:
    """Break links, invites and mentions by a zero-width space; the text reads the same."""
    for pattern in (_SCHEMES, _WWW, _INVITES):
        text = pattern.sub(rf"\g<0>{BREAK}", text)
    return _MENTION.sub(f"@{BREAK}", text)


def escape(text: str) -> str:
    """Escape everything that Discord's Markdown would format."""
    text = _MARKDOWN.sub(r"\\\g<0>", text)
    return _LINE_START.sub(r"\1\2\\", text)


def unescape(text: str) -> str:
    """Undo `escape` and `defuse`, for the text of a message."""
    return _ESCAPED.sub(r"\1", text).replace(BREAK, "")


def safe(text: str) -> str:
    """Make a text safe for a message or an embed's description."""
    return escape(defuse(veil(text)))


def person(name: str) -> str:
    """Make a member's name safe for an embed; a mention, which replaces an unknown name, stays as it is.

    A name cannot imitate a mention, because `plain` has broken mentions in names.
    """
    return name if _PERSON.fullmatch(name) else safe(name)


def shorten(text: str, limit: int) -> str:
    """Return the longest beginning of up to `limit` code points that splits no grapheme; "…" if cut."""
    if len(text) <= limit:
        return text
    kept: list[str] = []
    room = limit - 1  # the last one is the mark
    for grapheme in graphemes(text[: limit + 64]):
        if len(grapheme) > room:
            break
        kept.append(grapheme)
        room -= len(grapheme)
    return "".join(kept) + "…"


def safe_within(text: str, limit: int) -> str:
    """`safe` text of at most `limit` code points; splits neither a grapheme nor an escape."""
    text = veil(text)  # before the cut, so that no half of a hidden word is left
    whole = safe(text)
    if len(whole) <= limit:
        return whole
    low, high = 0, min(len(text), limit)
    while low < high:  # the longest beginning whose safe form fits
        middle = (low + high + 1) // 2
        if len(safe(shorten(text, middle))) <= limit:
            low = middle
        else:
            high = middle - 1
    return safe(shorten(text, low)) if low else ""


def file_bytes(text: str) -> bytes:
    """Return the text as a UTF-8 file: cleaned, but with its Markdown and links."""
    return veil(text).encode()


def plain(text: str) -> str:
    """Make one safe line for a footer or a code span, where Markdown has no effect."""
    return " ".join(defuse(veil(text)).replace("`", "'").split())
