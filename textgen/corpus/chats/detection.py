"""Detects chat logs by their structure: rising times beside the names of a few people who take turns.

A chat log holds words of people who were not asked, so the user gets a warning. Verses, lyrics, timetables,
minutes, tickers and logs of programs lack one of these features. This module must not import NumPy or Keras.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import regex

from textgen.corpus.chats.export_files import suspect_file
from textgen.corpus.chats.message_lines import Message, messages
from textgen.corpus.chats.people_names import are_labels, is_person
from textgen.errors import translatable

WHATSAPP = translatable("a WhatsApp export")
IRC = translatable("an IRC log")
DISCORD = translatable("a Discord export")
COPIED_DISCORD = translatable("a copied Discord channel")
TELEGRAM = translatable("a copied Telegram chat")
MEETING = translatable("the chat of a video meeting")
SIGNAL = translatable("a Signal export")
OTHER = translatable("a chat log with names and times")

_FEWEST = 5

# Shares of a text's lines, and of the lines that look like messages.
_OF_LINES = 0.2
_HEADERS_OF_LINES = (0.1, 0.65)
_NEVER_AGAIN = 0.6
_NO_PEOPLE = 0.3
_BY_ONE = 0.97
_TURNS = 0.15
_RISING = 0.8
_ON_THE_CLOCK = 0.95
_ROUND = 0.9
_SENTENCES = 0.7
_MACHINE = 0.4

_HEADERS = frozenset({"dash header", "header", "bracket header", "header after stamp", "stamp alone"})
_ROUND_FROM = 8
_ROUND_MINUTES = 5
_LONGEST_GAP_MINUTES = 15
_A_DAY = 1.5
_MINUTES_A_DAY = 24 * 60

_VERSE = regex.compile(r"^[^\n]{0,60}?(?<![\d:])\d{1,3}:\d(?![\d:])", regex.M)
_SIGNAL_FIELDS = tuple(
    regex.compile(field, regex.M) for field in (r"^From: \S", r"^Type: (?:incoming|outgoing)", r"^Sent: \S")
)
_EXPORT_HEADING = regex.compile(r"\s*={20,}\n(?:Guild|Server): [^\n]*\n(?:Channel|Topic): ")
_MACHINE_TEXT = regex.compile(
    r"\w=\S|\b0x[0-9a-f]|/\w+/|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40}\b|\b\d+ ?ms\b|\bpid\b|\d+\.\d+\.\d+"
)


def suspect_chat_log(head: str) -> str | None:
    """Return the kind of chat log that a text's beginning looks like, for example "an IRC log", or None."""
    return suspect_file(head) or _suspect_lines(head)


def _suspect_lines(head: str) -> str | None:
    if all(sum(1 for _ in field.finditer(head)) >= _FEWEST for field in _SIGNAL_FIELDS):
        return SIGNAL
    lines = sum(1 for line in head.split("\n") if line.strip())
    groups: dict[str, list[Message]] = {}
    for message in messages(head):
        groups.setdefault(message.shape, []).append(message)
    # Notes about people who join and leave belong to the messages.
    if "irc" in groups:
        groups["irc"] += groups.pop("event", [])
    exported = _EXPORT_HEADING.match(head) is not None
    for shape, found in sorted(groups.items(), key=lambda item: -len(item[1])):
        least, most = _HEADERS_OF_LINES if shape in _HEADERS else (_OF_LINES, 1.0)
        enough = len(found) >= _FEWEST and (exported or least * lines <= len(found) <= most * lines)
        if enough and _is_chat(shape, found, head, exported=exported):
            return DISCORD if exported else _kind(shape, found)
    return None


def _is_chat(shape: str, found: Sequence[Message], head: str, *, exported: bool) -> bool:
    names = Counter(message.author for message in found)
    if len(names) > max(2, _NEVER_AGAIN * len(found)):
        return False
    dated = all(message.date for message in found)
    strict = shape == "plain" or (shape == "bracket" and not dated)
    if sum(count for name, count in names.items() if not is_person(name, strict=strict)) >= _NO_PEOPLE * len(
        found
    ):
        return False
    if shape == "nick":
        return len(names) > 1 and not any(f"</{name}>" in head for name in names)
    if shape == "event" or not _is_clock(found, dated=dated):
        return False
    if shape in ("irc", "zoom") or exported or (dated and _is_exports_own(shape, found)):
        return True
    changes = sum(1 for one, other in pairwise(found) if one.author != other.author)
    if len(names) < 2 or max(names.values()) > _BY_ONE * len(found) or changes < _TURNS * len(found):
        return False
    if _is_machine(found) or are_labels(found):
        return False
    # Under a header there is a text, which lists of times do not have.
    if (dated or shape not in _HEADERS) and not _is_of_hours(found, dated=dated):
        return False
    if not dated and (_is_round(found) or sum(1 for _ in _VERSE.finditer(head)) >= _FEWEST):
        return False
    return shape not in ("plain", "name and time") or _is_talk(found)


def _is_exports_own(shape: str, found: Sequence[Message]) -> bool:
    """Return whether only chats have this shape: a date with a comma or a dash in a certain position."""
    return shape in ("dash", "dash header") or (
        shape in ("bracket", "header") and all(message.comma for message in found[:_FEWEST])
    )


def _is_clock(found: Sequence[Message], *, dated: bool) -> bool:
    """Return whether the times are clock times that rise, and not offsets of a recording or verse numbers."""
    real = sum(
        1 for message in found if message.clock[0] <= 24 and message.clock[1] < 60 and message.clock[2] < 60
    )
    if real < _ON_THE_CLOCK * len(found):
        return False
    pairs = [(one, other) for one, other in pairwise(found) if one.date == other.date]
    rising = sum(1 for one, other in pairs if one.clock <= other.clock)
    if rising < _RISING * len(pairs):
        return False
    if dated:
        return True
    # Times of a recording begin at zero, or have fractions of a second.
    fractions = sum(message.fraction for message in found)
    return found[0].clock[:2] > (0, 1) and fractions < len(found) / 2


def _is_round(found: Sequence[Message]) -> bool:
    """Return whether the times are planned, as those of trains, lectures and films."""
    if len(found) < _ROUND_FROM or found[0].clock[2] > 0:
        return False
    return sum(message.clock[1] % _ROUND_MINUTES == 0 for message in found) >= _ROUND * len(found)


def _is_of_hours(found: Sequence[Message], *, dated: bool) -> bool:
    """Return whether messages follow each other soon, unlike entries of a diary or a list of changes."""
    if dated:
        return len(found) >= _A_DAY * len({message.date for message in found})
    minutes = [60 * message.clock[0] + message.clock[1] for message in found]
    return median((other - one) % _MINUTES_A_DAY for one, other in pairwise(minutes)) <= _LONGEST_GAP_MINUTES


def _is_machine(found: Sequence[Message]) -> bool:
    """Return whether a program wrote the texts: the same sentences with different numbers."""
    texts = [message.text for message in found if message.text]
    if not texts:
        return False
    if sum(1 for text in texts if _MACHINE_TEXT.search(text)) >= _MACHINE * len(texts):
        return True
    numbered = sum(1 for text in texts if any(map(str.isdigit, text)))
    forms = {regex.sub(r"\d+", "0", text) for text in texts}
    return numbered >= len(texts) / 2 and len(forms) < _MACHINE * len(texts)


def _is_talk(found: Sequence[Message]) -> bool:
    """Return whether the texts are a conversation. Minutes and tickers have full sentences instead."""
    texts = [message.text for message in found if message.text]
    return sum(1 for text in texts if text[-1] in ".;") < _SENTENCES * len(texts)


def _kind(shape: str, found: Sequence[Message]) -> str:
    if shape == "header" and found[0].comma:
        return TELEGRAM
    if shape == "bracket" and found[0].comma:
        return WHATSAPP
    if any("#" in message.author for message in found):
        return DISCORD
    kinds = {"irc": IRC, "nick": IRC, "zoom": MEETING, "dash": WHATSAPP, "dash header": COPIED_DISCORD}
    return kinds.get(shape, OTHER)
