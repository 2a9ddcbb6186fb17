r"""Removes or replaces invisible characters: one rule for each kind.

=============================  ======================================================================
line breaks                    ``\r``, ``\r\n``, U+000B, U+000C, U+0085, U+2028 and U+2029 become ``\n``
other control characters       left out, but for the tab
C1 (U+0080 to U+009F)          what Windows-1252 has at that byte: somebody read such a text as
                               ISO-8859-1; after the first of them U+0085 is "…" too
halves of a character          a surrogate pair is joined; a lone surrogate is left out
invisible marks                left out: byte-order marks, zero-width spaces, word joiners, overrides of
                               direction, tags, anchors of annotations, blank letters; soft hyphens too,
                               but for the end of a line, where people see a hyphen
joiners (U+200C, U+200D)       one stays beside scripts and emoji that it shapes; left out elsewhere
variation selectors            one stays behind the character that it varies
flags of regions               a black flag keeps its tags
Hangul fillers                 stay beside letters that they complete
noncharacters                  left out; private and unassigned characters stay
=============================  ======================================================================

Spaces of every width are visible, and stay. The ranges are written out, because the interpreter's own tables
differ between its versions, and then the same file would give two texts. This module must not import NumPy or
Keras.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_BREAKS = re.compile("\r\n|\r|\u2028|\u2029|\x85|\x0b|\x0c")
_LINE_BREAK_SYMBOLS = "\r\u2028\u2029\x85\x0b\x0c"
# In UTF-8 these bytes occur in no longer character.
_CONTROL_BYTES = bytes(range(9)) + bytes(range(14, 32)) + b"\x7f"

_C1 = re.compile("[\x80-\x9f]")
# Not defined in Windows-1252.
_LOST = "\x81\x8d\x8f\x90\x9d"
_WINDOWS_1252 = {
    byte: (None if chr(byte) in _LOST else bytes([byte]).decode("cp1252")) for byte in range(0x80, 0xA0)
}

_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
JOINERS = "\u200c\u200d"
"""The zero-width non-joiner and joiner."""

# Unicode's Default_Ignorable_Code_Point except for characters with a rule of their own below, the interlinear
# anchors, and the noncharacters. Searching one set for all planes is ten times as slow as searching two.
_NEVER_SEEN = (
    "\u00ad\u034f\u061c\u17b4\u17b5\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff"
)
_NEVER_SEEN_BEYOND = (
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17))
)
_REGION = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
# Scripts from Hebrew on, symbols and emoji: the scripts before them need no joiners.
_JOINED = (
    "\u0590-\u1cff\u2190-\ud7ff\uf900-\ufdff\ufe00-\ufe0f\ufe20-\ufe2f\ufe70-\ufefc\U00010800-\U0001fffd"
)
# Composed syllables are included, because the letters beside a filler become one.
_FILLERS, _HANGUL = "\u115f\u1160", "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"

_SPECIAL = (
    re.compile(f"[{_NEVER_SEEN}{JOINERS}{_SELECTORS[:3]}{_FILLERS}]"),
    # Searching the exact set is slow, and in this range most texts have only emoji.
    re.compile("[\U00010000-\U0010ffff]"),
)
_HYPHENS = re.compile("\u00ad(?=\n)")
_MARKS = re.compile(f"({_REGION})|[{_NEVER_SEEN}]|[{_NEVER_SEEN_BEYOND}]")
# The order matters: each pattern depends on the result of the one before.
_STRAY = (
    re.compile(f"(?<![{_HANGUL}])[{_FILLERS}]+(?![{_HANGUL}])"),
    re.compile(rf"(?:\A|(?<=[\s{_SELECTORS}{JOINERS}]))[{_SELECTORS}]"),
    re.compile(f"(?<![{_JOINED}])[{JOINERS}](?![{_JOINED}])|(?<=[{JOINERS}])[{JOINERS}]"),
)


@dataclass(slots=True)
class Dropped:
    """The number of characters that were removed from a text, by kind.

    Attributes:
        controls: number of control characters.
        marks: number of invisible marks.
        halves: number of surrogates without their other half.
        mistaken: whether Windows-1252 had been read as ISO-8859-1.
    """

    controls: int = 0
    marks: int = 0
    halves: int = 0
    mistaken: bool = False

    def notes(self, name: str) -> list[str]:
        """Return notes for the user.

        Args:
            name: name of the file.
        """
        kinds = {
            "control characters": self.controls,
            "invisible marks": self.marks,
            "halves of characters": self.halves,
        }
        left = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
        notes = [f"{left} of {name} are left out"] if left else []
        if self.mistaken:
            notes.append(f"{name} was Windows-1252 read as ISO-8859-1; its quotes and dashes are repaired")
        return notes


def visible(text: str, dropped: Dropped) -> str:
    r"""Return a text with ``\n`` as its only line break and without invisible characters.

    Args:
        text: the whole text, or a piece that ends at a `textgen.corpus.reading.cut_places.last_safe_cut`.
        dropped: counts the removed characters; the same object for all pieces of a text.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:
        text = _whole_characters(text, dropped)
        data = text.encode()
    # Each rule is slow, and most texts need none of them, so quick tests come first.
    ascii_only = len(data) == len(text)
    if not ascii_only and _C1.search(text):
        text = _repaired(text, dropped)
        data = text.encode()
    if any(symbol in text for symbol in _LINE_BREAK_SYMBOLS):
        text = _LINE_BREAKS.sub("\n", text)
        data = text.encode()
    kept = data.translate(None, _CONTROL_BYTES)
    if len(kept) < len(data):
        dropped.controls += len(data) - len(kept)
        text = kept.decode()
    if ascii_only or not any(special.search(text) for special in _SPECIAL):
        return text
    return _without_marks(text, dropped)


def _whole_characters(text: str, dropped: Dropped) -> str:
    """Join surrogate pairs, and remove single surrogates."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    dropped.halves += len(text) - len(whole) - sum(1 for symbol in whole if symbol > "\uffff")
    dropped.halves += sum(1 for symbol in text if symbol > "\uffff")
    return whole


def _repaired(text: str, dropped: Dropped) -> str:
    """Return a text with its C1 characters replaced by those of Windows-1252."""
    begin = 0
    if not dropped.mistaken:
        # U+0085 alone is a line break, as in texts from mainframes.
        begin = next((found.start() for found in _C1.finditer(text) if found[0] != "\x85"), len(text))
    dropped.mistaken = begin < len(text)
    rest = text[begin:]
    dropped.controls += sum(map(rest.count, _LOST))
    return text[:begin] + rest.translate(_WINDOWS_1252)


def _without_marks(text: str, dropped: Dropped) -> str:
    before = len(text)
    text = _HYPHENS.sub("-", text)
    text = _MARKS.sub(lambda found: found[1] or "", text)
    for stray in _STRAY:
        text = stray.sub("", text)
    dropped.marks += before - len(text)
    return text
