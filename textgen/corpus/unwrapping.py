"""`textgen corpus unwrap`: removes the hard line wraps of texts such as Project Gutenberg's.

A line break is a wrap if the next line's first word would not have fitted on the line. Verse, lists, records,
headings, tables and code have line breaks before that, and are kept.

A wrap becomes a space, in Korean too; none where words are not set apart: in Chinese, Japanese, Thai,
Lao, Burmese, Khmer and Tibetan. Lines are measured in columns, of which a wide character takes two. This
module must not import NumPy or Keras.
"""

from __future__ import annotations

import re
import statistics
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

_NARROWEST, _WIDEST = 40, 130
# Typesetters and editors do not fill every line to the last column.
_SLACK = 6
_VERSE_CAPITALS = 0.8
_WRAPPED_SHARE = 0.5
_MOST_PASSES = 20

_LIST_ITEM = re.compile(r"\s*(?:[-*+•–] |—\s?(?=\w)|\(?(?:\d{1,3}|[A-Za-z]|[ivxl]{1,5})[.)] )")
_QUOTE = re.compile(r"\s*>")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_RULE = re.compile(r"\s*[^\w\s]{3,}\s*$")
_HEADING = re.compile(r"#{1,6} ")
_COLUMNS = re.compile(r"\S(?:  +|\t+)\S|\|.*\|")
# Two spaces before a sentence are a typing habit, and not a column of a table.
_SENTENCE_SPACE = re.compile(r"(?<=[.!?:;,\"'”’)])  (?=\S)")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*\s*$")
_WORD = re.compile(r"\w+(?:[-'’]\w+)*")
_HYPHENATED = re.compile(r"(\w+)-$")
_BROKEN = re.compile(r"\w+-\n\s*\w+")
_FIRST_LETTERS = re.compile(r"\w+")
_RECORDS = 0.8
# As in a form, a log or a chronicle.
_RECORD = re.compile(r"\s*(?:[\w .-]{1,30}: |[\[(]?\d)")
_DELIMITERS = ",;\t|"

# Chinese and Japanese; Thai, Lao, Tibetan, Burmese and Khmer.
_EAST_ASIAN = re.compile(
    "[\u2e80-\u2fdf\u3001-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\uf900-\ufaff\ufe30-\ufe4f"
    "\uff01-\uff9f\U00020000-\U0003ffff]"
)
_WITHOUT_SPACES = re.compile(
    _EAST_ASIAN.pattern[:-1] + "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff\uaa60-\uaa7f]"
)
_HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff]")
_KOREAN = 0.1
_NARROW = {"Mn", "Me", "Cf"}


def unwrap(text: str) -> str:
    """Return a clean text with each wrapped paragraph on one line.

    Blank lines, indentation, verse, lists (except for wraps within an item), headings, tables, quotations
    marked with ``>``, and code between fences are kept. A text whose lines are not wrapped is returned
    unchanged; so is the result of this function.
    """
    for _ in range(_MOST_PASSES):
        # A joined line can look like a wrapped one of a wider text, so the text is unwrapped until it is
        # stable.
        before, text = text, _unwrap_once(text)
        if text == before:
            break
    return text


def _unwrap_once(text: str) -> str:
    blocks = list(_blocks(text.split("\n")))
    width = _width_of([block for block in blocks if _may_be_wrapped(block)])
    if width is None:
        return text
    # The halves of a hyphenated word are not words of the text.
    words = frozenset(_WORD.findall(_BROKEN.sub(" ", text.lower())))
    lines: list[str] = []
    for block in blocks:
        lines += _joined(block, width, words) if _may_be_wrapped(block) else block
    return "\n".join(lines)


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Return the runs of lines between blank lines; blank lines and fenced code are blocks of their own."""
    block: list[str] = []
    fenced = False
    for line in lines:
        fence, blank = _FENCE.match(line) is not None, not line.strip()
        if block and not fenced and (fence or blank):
            yield block
            block = []
        block.append(line)
        if (fenced and fence) or (blank and not fenced):
            yield block
            block = []
        fenced = fenced != fence
    if block:
        yield block


def _may_be_wrapped(block: list[str]) -> bool:
    if len(block) < 2 or _FENCE.match(block[0]):
        return False
    columns = sum(1 for line in block if _COLUMNS.search(_SENTENCE_SPACE.sub(" ", line.strip())))
    if columns >= 2 and columns >= len(block) / 2:
        return False
    if any(_QUOTE.match(line) for line in block):
        return False
    # Lines of one sentence each, or a refrain, were not broken because of the width.
    ends = sum(1 for line in block[:-1] if _SENTENCE_END.search(line))
    if ends >= _RECORDS * (len(block) - 1) or 2 * len(set(block)) <= len(block) or _are_records(block):
        return False
    # Later lines may be indented below a list's mark. Any other indentation has a meaning.
    return _LIST_ITEM.match(block[0]) is not None or not any(_indentation(line) for line in block[1:])


def _are_records(block: list[str]) -> bool:
    """Return whether the lines are rows of a table, or each begins with a name or a number."""
    if len(block) < 4:
        return False
    if sum(1 for line in block if _RECORD.match(line)) >= _RECORDS * len(block):
        return True
    return any(
        block[0].count(delimiter) > 1 and len({line.count(delimiter) for line in block}) == 1
        for delimiter in _DELIMITERS
    )


def _width_of(blocks: list[list[str]]) -> int | None:
    """Return the width of a wrapped text in columns, or None if it is not wrapped."""
    widths = []
    for block in blocks:
        widest = max(map(_columns, block))
        if len(block) < 3 or not _NARROWEST <= widest <= _WIDEST or _is_verse(block):
            continue
        if _share_wrapped(block, widest) >= _VERSE_CAPITALS:
            widths.append(widest)
    return round(statistics.median(widths)) if widths else None


def _share_wrapped(block: list[str], width: int) -> float:
    breaks = [_is_wrap(line, after, width) for line, after in pairwise(block)]
    return sum(breaks) / len(breaks)


def _is_verse(block: list[str]) -> bool:
    """Return whether a block is verse: its lines begin with capitals even within a sentence."""
    later = [line.lstrip(" \t\"'“‘«—_*") for line in block[1:]]
    capitals = sum(1 for line in later if line[:1].isupper())
    inside = sum(
        1
        for line, after in zip(block, later, strict=False)
        if after[:1].isupper() and line.rstrip()[-1:] not in ".!?”\"’'»:"
    )
    return len(block) > 2 and capitals >= _VERSE_CAPITALS * len(later) and inside > 0


def _is_wrap(line: str, after: str, width: int) -> bool:
    """Return whether the break between two lines is a wrap."""
    if line.endswith(("  ", "\\")):  # Markdown's own line break
        return False
    if any(pattern.match(one) for pattern in (_RULE, _HEADING) for one in (line, after)):
        return False
    if _LIST_ITEM.match(after):
        return False
    first = after.split(maxsplit=1)[0]
    if _WITHOUT_SPACES.match(first):
        # In these scripts a line can break after nearly every character.
        first = first[:2]
    return _columns(line.rstrip()) + 1 + _columns(first) > width - _SLACK


def _joined(block: list[str], width: int, words: frozenset[str]) -> list[str]:
    """Return a block's lines without its wraps."""
    if _is_verse(block) or (not _LIST_ITEM.match(block[0]) and _share_wrapped(block, width) < _WRAPPED_SHARE):
        return block
    lines = [block[0]]
    for before, after in pairwise(block):
        if _is_wrap(before, after, width):
            lines[-1] = _join(lines[-1].rstrip(), after.lstrip(), words)
        else:
            lines.append(after)
    return lines


def _join(line: str, after: str, words: frozenset[str]) -> str:
    """Return two lines as one. The text's words decide whether a hyphen between them belongs to the word."""
    if line.endswith("\u00ad"):  # soft hyphen
        return line[:-1] + after
    if line.endswith(("--", "—")):
        return line + after
    end, begin = _HYPHENATED.search(line), _FIRST_LETTERS.match(after)
    if end and begin:
        return (line[:-1] if _is_one_word(end[1], begin[0], words) else line) + after
    if _WITHOUT_SPACES.match(line[-1:]) and _WITHOUT_SPACES.match(after) and not _is_korean(line + after):
        return line + after
    return f"{line} {after}"


def _is_one_word(left: str, right: str, words: frozenset[str]) -> bool:
    if not (left[-1:].isalpha() and right[:1].islower()):
        return False  # 1914-1918, Anglo-Saxon
    left, right = left.lower(), right.lower()
    if left + right in words:
        return True
    # "well-known": both halves are words; "exam-ple": one of them is not.
    return f"{left}-{right}" not in words and not words.issuperset((left, right))


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _columns(line: str) -> int:
    if line.isascii():
        return len(line)
    wide = sum(1 for symbol in line if unicodedata.east_asian_width(symbol) in "WF")
    return len(line) + wide - sum(1 for symbol in line if unicodedata.category(symbol) in _NARROW)


def _is_korean(text: str) -> bool:
    """Return whether a text is Korean, with more Hangul than a quotation has."""
    hangul = len(_HANGUL.findall(text))
    return hangul > _KOREAN * (hangul + len(_EAST_ASIAN.findall(text)))
