"""Writes the reference from the program itself: its help, settings, slash commands and docstrings."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from docs.site import library_reference, slash_reference
from docs.site.command_reference import commands, settings


def write(folder: Path) -> None:
    """Write every page of the reference.

    Args:
        folder: is made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        slash = asyncio.run(slash_reference.slash_commands(Path(data)))
    pages = {
        "textgen.md": commands("textgen"),
        "pastiche.md": commands("pastiche"),
        "settings.md": settings(),
        "slash-commands.md": slash,
        "library.md": library_reference.library(),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
