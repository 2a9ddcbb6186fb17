"""Model text and people's words made safe to show in Discord.

A model can write anything: mentions, invites, Markdown, direction overrides. What leaves here pings
nobody, links nowhere, keeps its reading direction and shows its Markdown as the characters it is made of.
Every function is pure.
"""

import regex

from bot.text.cleaning import clean as clean
from bot.text.hidden_words import veil
from textgen.unicode.graphemes import graphemes

# Clients make links of these even where the text around them is escaped, some in the middle of a word.
_SCHEMES = regex.compile(r":(?=//)|(?:mailto|tel|sms):(?=\S)", regex.IGNORECASE)
_WWW = regex.compile(r"www(?=\.)", regex.IGNORECASE)
# Invites unfold without a scheme.
_INVITES = regex.compile(
    r"discord(?=\.(?:gg|me|li|io)|(?:app)?\.com/invite)|(?:dsc|dis|invite)(?=\.(?:gg|gd))", regex.IGNORECASE
)
_PERSON = regex.compile(r"<@\d{1,20}>")
_MENTION = regex.compile(r"@(?=\S)")

BREAK = "\u200b"

_MARKDOWN = regex.compile(r"[\\*_~`|\[\]<]")
# Headings, quotes, lists and subtext count at the start of a line only.
_LINE_START = regex.compile(r"^([ \t]*)(?=[#>+-]|\d{1,9}[.)])(\d*)", regex.MULTILINE)
_ESCAPED = regex.compile(r"\\([^0-9A-Za-z\s])")


def defuse(text: str) -> str:
    """The text with links, invites and mentions broken by a zero-width space: it reads the same."""
    for pattern in (_SCHEMES, _WWW, _INVITES):
        text = pattern.sub(rf"\g<0>{BREAK}", text)
    return _MENTION.sub(f"@{BREAK}", text)


def escape(text: str) -> str:
    """The text with a backslash before all that Discord's Markdown would take as formatting."""
    text = _MARKDOWN.sub(r"\\\g<0>", text)
    return _LINE_START.sub(r"\1\2\\", text)


def unescape(text: str) -> str:
    """What `escape` and `defuse` were given, read back from a message."""
    return _ESCAPED.sub(r"\1", text).replace(BREAK, "")


def safe(text: str) -> str:
    """Text ready for a message or an embed's description."""
    return escape(defuse(veil(text)))


def person(name: str) -> str:
    """A member's name ready for an embed, or the mention that stands in for one that is not known yet.

    No name can pass for a mention: `plain`, which names went through, breaks them.
    """
    return name if _PERSON.fullmatch(name) else safe(name)


def shorten(text: str, limit: int, *, mark: str = "…") -> str:
    """The longest beginning of at most `limit` code points that splits no grapheme, with a mark if cut."""
    if len(text) <= limit:
        return text
    kept: list[str] = []
    room = limit - len(mark)
    for grapheme in graphemes(text[: limit + 64]):
        if len(grapheme) > room:
            break
        kept.append(grapheme)
        room -= len(grapheme)
    return "".join(kept) + mark


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


def code_block(text: str, limit: int) -> str:
    """The text in a code block of at most `limit` code points, fences included."""
    inside = defuse(veil(text)).replace("```", f"`{BREAK}`{BREAK}`")
    return f"```\n{shorten(inside, limit - 8)}\n```"


def file_bytes(text: str) -> bytes:
    """The text as an attached UTF-8 file: cleaned, but with its Markdown and links as written."""
    return veil(text).encode()


def plain(text: str) -> str:
    """One line for a footer or a code span, where Markdown does not count."""
    return " ".join(defuse(veil(text)).replace("`", "'").split())
