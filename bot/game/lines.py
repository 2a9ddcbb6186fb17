"""Lines for the game: out of a stored text, or out of what a model wrote. Nothing here talks to Discord.

A line must be fit to be shown: nothing that pings, links or formats, no hidden word, and mostly letters.
"""

import random
import re
from pathlib import Path

from bot.text.cleaning import clean
from bot.text.hidden_words import hide
from bot.text.safe_text import defuse
from textgen.unicode.graphemes import graphemes

SHORTEST, LONGEST = 30, 220
"""Characters of a line."""

_WINDOW_BYTES = 64 << 10
_WINDOWS = 8
_CANDIDATES = 40
_READ_AT_ONCE = 1 << 20
_LETTERS_SHARE = 0.6
# A paragraph that is one line is judged by its sentences.
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")
_NEVER_SEEN = "\N{REPLACEMENT CHARACTER}"


def lines_of(text: str) -> list[str]:
    """Return the lines of a text; of a longer line its sentences. What stands at the ends may be cut off."""
    found: list[str] = []
    for line in text.split("\n"):
        found += [line.strip()] if len(line) <= LONGEST else map(str.strip, _SENTENCE_ENDS.split(line))
    return found


def is_fit(line: str, listed: str) -> bool:
    """Whether a line may be shown as it is.

    Args:
        line: the line.
        listed: the server's hidden words, one entry a line.
    """
    if not SHORTEST <= len(line) <= LONGEST or _NEVER_SEEN in line:
        return False
    if sum(symbol.isalpha() or symbol.isspace() for symbol in line) < _LETTERS_SHARE * len(line):
        return False
    # Anybody's name in a mention, a link or an invite is broken up by `defuse`, so such a line is not shown.
    if clean(line) != line or defuse(line) != line or len(graphemes(line)) < SHORTEST // 2:
        return False
    return hide(line, listed) == line


def real_lines(path: Path, listed: str, chance: random.Random, most: int) -> list[str]:
    """Return lines of a stored text from places that chance chooses; blocks.

    Args:
        path: the text, in UTF-8.
        listed: the server's hidden words.
        chance: chooses.
        most: number of lines.

    Raises:
        OSError: the text cannot be read.
    """
    found: list[str] = []
    with path.open("rb") as file:
        size = file.seek(0, 2)
        for _ in range(_WINDOWS):
            file.seek(chance.randrange(max(1, size - _WINDOW_BYTES)))
            read = lines_of(file.read(_WINDOW_BYTES).decode("utf-8", errors="ignore"))
            # The first and the last one may be halves.
            candidates = chance.sample(read[1:-1], min(_CANDIDATES, len(read[1:-1])))
            found += [line for line in candidates if is_fit(line, listed)]
            if len(found) >= most:
                break
    return list(dict.fromkeys(found))[:most]


def written_lines(path: Path, texts: list[str], listed: str, chance: random.Random) -> list[str]:
    """Return lines that a model wrote and that the text does not have; blocks.

    Args:
        path: the text that the model learned from, in UTF-8.
        texts: what the model wrote. The first line begins with a line start of the corpus, and the last one
            may be cut off, so neither counts.
        listed: the server's hidden words.
        chance: shuffles them.

    Raises:
        OSError: the text cannot be read.
    """
    found = [
        line for text in texts for line in lines_of(text.partition("\n")[2])[:-1] if is_fit(line, listed)
    ]
    chance.shuffle(found)
    return _without_those_in(path, found)


def _without_those_in(path: Path, lines: list[str]) -> list[str]:
    """Leave out lines that stand in a text, whatever the case of their (ASCII) letters."""
    wanted = {line: line.encode().lower() for line in lines}
    overlap = max((len(each) for each in wanted.values()), default=0)
    with path.open("rb") as file:
        before = b""
        while wanted and (read := file.read(_READ_AT_ONCE)):
            whole = before + read.lower()
            wanted = {line: each for line, each in wanted.items() if each not in whole}
            before = whole[-overlap:]
    return list(wanted)
