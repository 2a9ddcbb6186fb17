"""A report on a corpus before training: its size, its symbols, and warnings.

A chat log holds words of people who were not asked, and a model can write a secret that it was trained on;
both are detected by their shapes. This module must not import NumPy or Keras.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from textgen.corpus.english import MOSTLY, english_share
from textgen.errors import CorpusError

MINIMUM_CHARACTERS = 500
"""Length of the shortest corpus for a training, in characters."""

VOCABULARY = 256
"""Size of the vocabulary whose coverage is reported: enough for most alphabets."""

# Each pattern begins with letters that are found quickly, and then looks back at the characters before them,
# because 100 MB are searched before a training.
_TOKEN_HEAD = "|".join(rf"(?<=[MNO][\w-]{{{length}}}\.)" for length in range(23, 28))
_SECRETS = (
    ("private key", (r"-----BEGIN [A-Z ]*PRIVATE KEY-----",)),
    ("Discord token", (rf"\.(?:{_TOKEN_HEAD})[\w-]{{6}}\.[\w-]{{27,40}}\b",)),
    (
        "access key",
        (
            r"AKIA(?<!\wAKIA)[0-9A-Z]{16}\b",
            r"gh[pousr]_(?<!\wgh._)\w{36,}\b",
            r"sk-(?<!\wsk-)[\w-]{20,}\b",
            r"xox[baprs]-(?<!\wxox.-)[\w-]{10,}\b",
        ),
    ),
    ("e-mail address", (r"@(?<=[\w.+-]@)[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b",)),
    (
        "telephone number",
        (r"\+(?<![\w.]\+)\d{1,3}[ -]?(?:\(?\d{1,4}\)?[ -]?){2,5}\d{2,4}(?!\w)",),
    ),
)
_SECRET_PATTERNS = tuple((kind, tuple(map(re.compile, patterns))) for kind, patterns in _SECRETS)
_LINES_KEPT = 200_000
_MANY_SYMBOLS = 1_000
# Characters at the beginning of a text in which a chat log is looked for, and English.
_HEAD = 400_000
_ENGLISH_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class CorpusStats:
    """Figures of a clean text.

    Attributes:
        characters: length in Unicode code points.
        lines: number of lines, empty ones included.
        symbols: number of distinct characters.
        most_common: the ten most frequent characters with their counts.
        duplicated_lines: share of the non-empty lines that repeat an earlier one, 0 to 1; estimated from a
            sample if there are more than 200,000 different lines.
        suspected_chat_log: the kind of chat log that the text looks like, or None.
        suspected_secrets: the number of each kind of secret, for example "3 × e-mail address".
        coverage: share of the characters that are in a vocabulary of `VOCABULARY` tokens, 0 to 1.
        english: share of the words at the beginning that are common English ones, 0 to 1 (`english_share`).
    """

    characters: int
    lines: int
    symbols: int
    most_common: tuple[tuple[str, int], ...]
    duplicated_lines: float
    suspected_chat_log: str | None
    suspected_secrets: tuple[str, ...]
    coverage: float = 1.0
    english: float = 0.0

    @property
    def too_many_symbols(self) -> bool:
        """Whether single characters are too rare to be learned one by one, as in Chinese or Japanese."""
        return self.symbols > _MANY_SYMBOLS

    @property
    def is_english(self) -> bool:
        """Whether the text is English for the most part."""
        return self.english >= MOSTLY


class Measurer:
    """Collects the figures of a clean text that arrives in pieces, in little memory for any length.

    Args:
        count: returns the count of each character of a piece.
    """

    def __init__(self, count: Callable[[str], Mapping[str, int]] = Counter) -> None:
        """Start before the first piece."""
        self._count = count
        self._symbols: Counter[str] = Counter()
        self._secrets: Counter[str] = Counter()
        self._head = ""
        self._line_breaks = 0
        self._ends_in_break = True
        # CRC-32 of the unfinished line, and whether it has more than white space.
        self._line, self._line_filled = 0, False
        self._distinct: set[int] = set()
        self._sampled = self._mask = 0

    def add(self, text: str) -> None:
        """Read the next piece, which may end anywhere."""
        if not text:
            return
        self._symbols.update(self._count(text))
        self._head += text[: _HEAD - len(self._head)]
        for kind, patterns in _SECRET_PATTERNS:
            self._secrets[kind] += sum(1 for pattern in patterns for _ in pattern.finditer(text))
        first, *lines = text.encode("utf-8", "surrogatepass").split(b"\n")
        self._line = zlib.crc32(first, self._line)
        self._line_filled = self._line_filled or bool(first.strip())
        if lines:
            self._end_line()
            last = lines.pop()
            self._see([zlib.crc32(line) for line in lines if line.strip()])
            self._line, self._line_filled = zlib.crc32(last), bool(last.strip())
        self._line_breaks += text.count("\n")
        self._ends_in_break = text.endswith("\n")

    def _end_line(self) -> None:
        if self._line_filled:
            self._see([self._line])

    def _see(self, lines: list[int]) -> None:
        # Lines are sampled by their content, so that a line and its repetitions are kept or dropped together.
        if self._mask:
            lines = [line for line in lines if not line & self._mask]
        self._sampled += len(lines)
        self._distinct.update(lines)
        while len(self._distinct) > _LINES_KEPT:
            self._mask = self._mask << 1 | 1
            kept = {line for line in self._distinct if not line & self._mask}
            self._sampled = round(self._sampled * len(kept) / len(self._distinct))
            self._distinct = kept

    def stats(self) -> CorpusStats:
        """Return the figures of the text so far."""
        # Its patterns take long to compile, and a process that samples needs none.
        from textgen.corpus.chats.detection import suspect_chat_log

        if self._line_filled:
            self._end_line()
            self._line_filled = False
        characters = self._symbols.total()
        # One token of the vocabulary stands for all unknown characters.
        covered = sum(count for _, count in self._symbols.most_common(VOCABULARY - 1))
        return CorpusStats(
            characters=characters,
            lines=self._line_breaks + (not self._ends_in_break),
            symbols=len(self._symbols),
            most_common=tuple(self._symbols.most_common(10)),
            duplicated_lines=1 - len(self._distinct) / self._sampled if self._sampled else 0.0,
            suspected_chat_log=suspect_chat_log(self._head),
            suspected_secrets=tuple(f"{count} × {kind}" for kind, count in self._secrets.items() if count),
            coverage=covered / characters if characters else 1.0,
            english=english_share(self._head[:_ENGLISH_CHARACTERS]),
        )


def check_stats(stats: CorpusStats) -> CorpusStats:
    """Return the figures of a text that a model can be trained on.

    Raises:
        CorpusError: it has fewer than `MINIMUM_CHARACTERS` characters or only one distinct one.
    """
    if stats.characters < MINIMUM_CHARACTERS:
        raise CorpusError(
            "the corpus has {characters:,} characters; at least {least:,} are needed to learn a style "
            "(100,000 and more do well)",
            characters=stats.characters,
            least=MINIMUM_CHARACTERS,
        )
    if stats.symbols < 2:
        raise CorpusError(
            "the corpus repeats one character, {character!r}; it needs at least two different ones",
            character=stats.most_common[0][0],
        )
    return stats
