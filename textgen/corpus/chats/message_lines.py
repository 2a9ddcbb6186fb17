"""Finds lines that have the shape of a chat message: a time, and a name in the same position.

A shape alone proves nothing; `textgen.corpus.chats.detection` checks the names and times. Every pattern is
anchored and bounded, so the time is linear in the length of the text. This module must not import NumPy or
Keras.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import regex

_LONGEST_HEAD = 160
_NAME = 40

# Exports contain direction marks, digits of the reader's script, and various spaces.
_MARKS = dict.fromkeys(
    map(ord, "\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
)
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2009\u202f\u2007"), " ")
_DIGITS = {
    zero + digit: str(digit) for zero in (0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10) for digit in range(10)
}
_PLAIN = {**_MARKS, **_SPACES, **_DIGITS}

_WORD = r"\p{L}[\p{L}\p{M}.]{1,12}"
_DATE = (
    r"(?:(?:\d{1,4}[./-] ?\d{1,2}[./-] ?\d{1,4}\.?)"
    r"|(?:\d{4} ?[年년] ?\d{1,2} ?[月월] ?\d{1,2} ?[日일])"
    rf"|(?:(?:{_WORD},? )?\d{{1,2}}\.?(?:[ -]| de ){_WORD}(?:,?[ -]| de )\d{{2,4}})"
    rf"|(?:(?:{_WORD},? )?{_WORD} {{1,2}}\d{{1,2}}(?:, ?|  ?)\d{{4}})"
    rf"|(?:{_WORD} {{1,2}}\d{{1,2}}(?= ))"
    rf"|(?:\d{{1,2}} {_WORD}(?= )))"
    r"(?:\([^()]{1,4}\)| ?[（(]?\p{L}曜日?[）)]?)?"
)
_HALF = r"(?:[AaPp]\.? ?[Mm]\.?|Uhr|h|[مص])(?!\p{L})"
_ZONE = r"(?:UTC|GMT|Z|CES?T|[ECMP][SD]T)(?!\p{L})|[+-]\d{2}:?\d{2}"
_TIME = (
    r"(?:(?:[上下]午|午[前後]|오[전후]|[早晚]上|中午|凌晨) ?)?"
    r"\d{1,3}[:.h]\d{2}(?:[:.]\d{2})?(?:[.,]\d{1,6})?"
    rf"(?: ?{_HALF})?(?: ?(?:{_ZONE}))?"
)
_DAY = rf"{_WORD}(?: (?:at|um|à|a las|alle|kl\.?|om|klo|às|o|в|を))?"
_BETWEEN = rf"(?:,? {{1,2}}|T|, ?|,? (?:{_WORD}|à|o|в) {{1,2}}|\s{{1,2}})"
_DATED = rf"(?P<date>{_DATE})(?P<between>{_BETWEEN})"
_STAMP = rf"(?:{_DATED})?(?P<time>{_TIME})"
_ANY_STAMP = rf"(?:{_DATED}|(?:{_DAY},? ))?(?P<time>{_TIME})"

_PERSON = rf"\S[^:\n]{{0,{_NAME}}}?"

_FIRST = regex.compile(rf"{_STAMP} ?(?=\W|$)")
_BRACKETED = regex.compile(rf"[\[({{<] ?{_ANY_STAMP} ?[\])}}>]")
_UNDER_NAME = regex.compile(rf"[—–] ?{_ANY_STAMP}$")
_AFTER = regex.compile(
    r"[:|]?(?P<irc>\s{0,3}<[ @+%~&!]?(?P<nick>[^\s<>/][^<>\n]{0,31})>)"
    r"|(?P<event>\s{1,3}(?:-!-|\*{1,3}|-->|<--|--)\s{1,3}(?P<doer>[^\s:]{1,32})\s)"
    r"|(?P<dash>(?:\s?(?:-|–|—)|,(?=[^:\n]{1,60} :\s))\s{1,2}(?P<writer>\S[^:\n]{0,60}?):(?:\s|$))"
    r"|(?P<tab>\t{1,2} ?(?P<left>[^\t\n:]{1,40}):?\t)"
    rf"|(?P<zoom>\s{{1,3}}From\s{{1,2}}(?P<sender>\S.{{0,40}}?)(?:\s+to\s+.{{1,40}}?)?\s?:(?:\s|$))"
    rf"|(?P<colon>\s{{0,2}}(?P<name>{_PERSON}):(?:\s|$))"
    rf"|(?P<alone>\s{{1,3}}(?P<header>\S[^:\n]{{0,{_NAME}}})$)"
)
_LAST = regex.compile(
    rf"(?P<name>\S[^\n]{{0,{_NAME}}}?)(?P<mark>,? ?[—–|]\s{{1,2}}|,? ?-\s|, {{0,2}}|\t| {{1,3}})"
    rf"(?P<open>[\[(])?{_ANY_STAMP}(?P<close>[\])])?(?P<colon>:)?(?=\s|$)(?P<rest>.*)"
)
_NICK_ONLY = regex.compile(r"<[@+%~&]?(?P<nick>[^\s<>/][^\s<>]{0,31})> \S")
_NUMBER = regex.compile(r"\d+")
_NOON = 12
_AFTERNOON = regex.compile(r"[Pp]\.? ?[Mm]|م|下午|午後|오후|晚上")
_MORNING = regex.compile(r"[Aa]\.? ?[Mm]|ص|上午|午前|오전")
# Minutes, seconds and hundredths, as in lyrics; or fractions of a second after the seconds.
_FRACTION = regex.compile(r"\D*\d+:\d\d(?:\.\d|:\d\d[.,]\d)")
_RECEIPT = regex.compile(r"\s*\((?:Read|Delivered|Edited)[^()]{0,80}\)\s*$|:?\s*$")


@dataclass(frozen=True, slots=True)
class Message:
    """A line that has the shape of a message.

    Attributes:
        shape: the order of its parts; see `textgen.corpus.chats.detection`.
        author: the text in the position of a name.
        date: the date as it is written; "" if there is none.
        comma: whether a comma stands behind the date, or brackets around it behind a comma.
        clock: hours (or what stands there), minutes, and seconds or -1.
        fraction: whether parts of a second stand behind it.
        text: what follows in the line.
    """

    shape: str
    author: str
    date: str
    comma: bool
    clock: tuple[int, int, int]
    fraction: bool
    text: str


def messages(head: str) -> Iterator[Message]:
    """Yield the lines that have the shape of a message, in order."""
    lines = [line[:_LONGEST_HEAD].strip(" ") for line in head.translate(_PLAIN).split("\n")]
    before = ""
    for number, line in enumerate(lines):
        if not line:
            continue
        found = None if "-->" in line else _message_of(line)
        if found is not None and found.shape in ("stamp alone", "dash header") and not found.author:
            following = next((text for text in lines[number + 1 : number + 3] if text), "")
            name = following if found.shape == "stamp alone" else before
            found = replace(found, author=name) if 0 < len(name) <= _NAME else None
        if found is not None and any(map(str.isalnum, found.author)):
            yield found
        before = line


def _message_of(line: str) -> Message | None:
    if line[0] == "<" and (nick := _NICK_ONLY.match(line)):
        return Message("nick", nick["nick"], "", False, (0, 0, -1), False, line[nick.end() :])
    if line[0] in "—–":
        under = _UNDER_NAME.match(line)
        return None if under is None else _message("dash header", "", under, "")
    bracketed = line[0] in "[({<"
    stamp = (_BRACKETED if bracketed else _FIRST).match(line)
    if stamp is None:
        return None if bracketed else _stamp_last(line)
    return _stamp_first(line, stamp, bracketed=bracketed)


def _stamp_first(line: str, stamp: regex.Match[str], *, bracketed: bool) -> Message | None:
    after = _AFTER.match(line, stamp.end())
    if after is None:
        alone = not bracketed and stamp["date"] and _RECEIPT.match(line, stamp.end())
        return _message("stamp alone", "", stamp, "") if alone else None
    text = line[after.end() :]
    for shape, name in (
        ("irc", "nick"),
        ("event", "doer"),
        ("tab", "left"),
        ("zoom", "sender"),
        ("dash", "writer"),
    ):
        if after[shape] is not None:
            return _message(shape, after[name], stamp, text)
    if after["colon"] is not None:
        return _message("bracket" if bracketed else "plain", after["name"], stamp, text)
    if bracketed or stamp["date"]:
        return _message("bracket header" if bracketed else "header after stamp", after["header"], stamp, "")
    return None


def _stamp_last(line: str) -> Message | None:
    found = _LAST.match(line)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    rest = found["rest"].strip()
    if rest:
        return _message("name and time", found["name"], found, rest) if found["open"] else None
    dash = found["mark"].strip(" ,") in ("—", "–")
    return _message("dash header" if dash else "header", found["name"], found, "")


def _message(shape: str, author: str, stamp: regex.Match[str], text: str) -> Message:
    time, date = stamp["time"], stamp["date"] or ""
    numbers = [int(part) for part in _NUMBER.findall(time)[:3]]
    hour, minute, second = (*numbers, -1)[:3]
    if _AFTERNOON.search(time) and hour < _NOON:
        hour += _NOON
    elif _MORNING.search(time) and hour == _NOON:
        hour = 0
    comma = "," in (date[-1:], stamp["between"] or "") or "," in (stamp["between"] or "")
    if shape == "header":
        comma = "," in stamp["mark"] and stamp["open"] is not None
    fraction = _FRACTION.match(time) is not None
    return Message(shape, author.strip(" *_~"), date, comma, (hour, minute, second), fraction, text.strip())
