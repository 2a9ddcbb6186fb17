"""The text that a command about authorship asks for: typed, in a file, or on standard input."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from textgen.argument_checks import shown
from textgen.errors import SettingsError

STANDARD_INPUT = "-"
MOST_CHARACTERS = 2_000_000
_BYTES_A_CHARACTER = 4


def text_of(argument: str) -> str:
    """Return the text that an argument means: itself, the file of that name, or standard input for "-".

    The line break that ends a file or a stream belongs to no text.

    Raises:
        SettingsError: it is empty, too long, or no UTF-8.
    """
    if argument == STANDARD_INPUT:
        text = sys.stdin.read(MOST_CHARACTERS + 2)
    elif os.path.isfile(argument):  # noqa: PTH113 -- pathlib raises errors for what can be no path
        with Path(argument).open("rb") as file:
            data = file.read(_BYTES_A_CHARACTER * MOST_CHARACTERS + 1)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SettingsError(f"{argument} is not UTF-8; convert it first") from None
    else:
        text = argument
    text = text.replace("\r\n", "\n")
    if text is not argument:
        text = text.removesuffix("\n")
    if len(text) > MOST_CHARACTERS:
        raise SettingsError(f"the text is longer than {MOST_CHARACTERS:,} characters; give a part of it")
    if not text.strip():
        raise SettingsError(f"there is no text in {shown(argument)}")
    return text
