"""What can be said of a corpus before any training: its size, its symbols, and what should give pause.

A chat log holds words of people who were not asked, and a secret that is trained on can be
generated; both are looked for by their shapes. This module must not import NumPy or Keras.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from textgen.errors import CorpusError

MINIMUM_CHARACTERS = 500
"""The shortest corpus that is trained on, in characters."""

_MINIMUM_LOG_LINES = 5
_LOG_LINE_SHARE = 0.2

_DATE = r"\d{1,4}[-/. ](?:\d{1,2}|[A-Za-z]{3})[-/. ]\d{2,4}"
_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:\s?[AaPp]\.?[Mm]\.?)?"
_LOG_LINES = (
    (
        "a copied Discord channel",
        re.compile(rf"^.{{1,40}} — (?:{_DATE},? )?(?:Today at |Yesterday at )?{_TIME}\s*$"),
    ),
    ("a WhatsApp export", re.compile(rf"^\u200e?\[?{_DATE}, {_TIME}\]?(?: -)? [^:\n]{{1,40}}: ")),
    ("an IRC log", re.compile(rf"^[\[(]?(?:{_DATE}[ T])?{_TIME}[\])]?\s+(?:<[^>\n]{{1,32}}>|\* \S+|-!-)")),
    ("a Discord export", re.compile(rf"^\[(?:{_DATE}[ ,T]+)?{_TIME}(?: UTC| Z|Z)?\]\s+\S.{{0,40}}")),
    ("a chat log with names and times", re.compile(rf"^\S.{{0,40}}[\[(](?:{_DATE}[ ,T]+)?{_TIME}[\])]:? ")),
)
_JSON_LOG = re.compile(
    r'"(?:author|sender|from|user_?name)"\s*:.{0,4000}?"(?:timestamp|date|created_at|ts)"\s*:', re.S
)
_JSON_MESSAGES = re.compile(r'"messages"\s*:\s*\[|"(?:content|text)"\s*:')

_SECRETS = (
    ("private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("Discord token", re.compile(r"\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40}\b")),
    (
        "access key",
        re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36,}|sk-[\w-]{20,}|xox[baprs]-[\w-]{10,})\b"),
    ),
    ("e-mail address", re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b")),
    ("telephone number", re.compile(r"(?<![\w.])\+\d{1,3}[ -]?(?:\(?\d{1,4}\)?[ -]?){2,5}\d{2,4}(?!\w)")),
)


@dataclass(frozen=True, slots=True)
class CorpusStats:
    """Figures of one clean text.

    Attributes:
        characters: length in Unicode code points.
        lines: number of lines, empty ones included.
        symbols: number of distinct characters.
        most_common: the ten most frequent characters with their counts.
        duplicated_lines: share of the non-empty lines that repeat an earlier one, 0 to 1.
        suspected_chat_log: what kind of chat log the text looks like, or None.
        suspected_secrets: for each kind of secret found, how many, as "3 × e-mail address".
    """

    characters: int
    lines: int
    symbols: int
    most_common: tuple[tuple[str, int], ...]
    duplicated_lines: float
    suspected_chat_log: str | None
    suspected_secrets: tuple[str, ...]


def measure(text: str) -> CorpusStats:
    """Return the figures of a clean text; a text of any length is accepted."""
    counts = Counter(text)
    lines = text.splitlines()
    filled = [line for line in lines if line.strip()]
    return CorpusStats(
        characters=len(text),
        lines=len(lines),
        symbols=len(counts),
        most_common=tuple(counts.most_common(10)),
        duplicated_lines=1 - len(set(filled)) / len(filled) if filled else 0.0,
        suspected_chat_log=suspect_chat_log(text),
        suspected_secrets=suspect_secrets(text),
    )


def suspect_chat_log(text: str) -> str | None:
    """Return what kind of chat log the text looks like ("an IRC log"), or None."""
    head = text[:400_000]
    lines = [line for line in head.splitlines() if line.strip()]
    for kind, pattern in _LOG_LINES:
        found = sum(1 for line in lines if pattern.match(line))
        if found >= _MINIMUM_LOG_LINES and found >= _LOG_LINE_SHARE * len(lines):
            return kind
    if head.lstrip()[:1] in "[{" and _JSON_MESSAGES.search(head) and _JSON_LOG.search(head):
        return "a chat export in JSON"
    return None


def suspect_secrets(text: str) -> tuple[str, ...]:
    """Return the kinds of secret that the text seems to hold, each with its number."""
    found = ((sum(1 for _ in pattern.finditer(text)), kind) for kind, pattern in _SECRETS)
    return tuple(f"{count} × {kind}" for count, kind in found if count)


def check_trainable(text: str) -> CorpusStats:
    """Return the text's figures if a model can be trained on it.

    Raises:
        CorpusError: it has fewer than `MINIMUM_CHARACTERS` characters or only one distinct one.
    """
    stats = measure(text)
    if stats.characters < MINIMUM_CHARACTERS:
        raise CorpusError(
            f"the corpus has {stats.characters:,} characters; at least {MINIMUM_CHARACTERS:,} are needed "
            "to learn a style (100,000 and more do well)"
        )
    if stats.symbols < 2:
        raise CorpusError(
            f"the corpus repeats one character, {text[0]!r}; it needs at least two different ones"
        )
    return stats
