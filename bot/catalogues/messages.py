"""Every text that people read: those marked in the code, and those that Discord shows of the command tree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from discord import AppCommandType, app_commands

from bot.i18n import LOCALES

PACKAGE = LOCALES.parents[1]
KEYWORDS: dict[str, Any] = {"_": None, "marked": None, "ngettext": (1, 2)}
# Errors of the rooms below that people here can meet: their lines are said again in the reader's language.
ERRORS: dict[str, Any] = dict.fromkeys(("CorpusError", "InvalidNameError", "SettingsError", "translatable"))
ERROR_SOURCES = (
    "models/training/names.py",
    "models/training/text_models.py",
    "textgen/corpus/chats/export_files.py",
    "textgen/corpus/chats/detection.py",
    "textgen/corpus/reading/encoding.py",
    "textgen/corpus/report.py",
    "textgen/corpus/reading/text.py",
    "textgen/errors.py",
    "textgen/evaluation/authorship/reading.py",
    "textgen/model.py",
    "textgen/sampling/typed_text.py",
)
# What discord.py puts where a command or an option has no description.
NO_DESCRIPTION = "…"


def template(tree: app_commands.CommandTree[Any]) -> Catalog:
    """A catalogue of all texts, without any translation.

    Args:
        tree: with every command in it.
    """
    catalog = Catalog(charset="utf-8")
    for filename, _line, message, _comments, _context in extract_from_dir(
        PACKAGE, method_map=[("**.py", "python")], keywords=KEYWORDS
    ):
        catalog.add(message, locations=[(str(Path(PACKAGE.name) / filename), 0)])
    for source in ERROR_SOURCES:
        lines = extract_from_file("python", PACKAGE.parent / source, keywords=ERRORS)
        for _line, message, _comments, _context in lines:
            catalog.add(message, locations=[(source, 0)])
    for text, where in tree_texts(tree):
        catalog.add(text, locations=[(where, 0)])
    return catalog


def tree_texts(tree: app_commands.CommandTree[Any]) -> Iterator[tuple[str, str]]:
    """Every text that Discord shows of the tree and where it is from, but no names that people type."""
    for command in tree.walk_commands():
        where = f"/{command.qualified_name}".replace(" ", "/")
        yield command.description, where
        if isinstance(command, app_commands.Command):
            for option in command.parameters:
                if option.description != NO_DESCRIPTION:
                    yield str(option.description), f"{where}:{option.display_name}"
                for choice in option.choices:
                    # A choice that is named like its value is an identifier, such as a setting's.
                    if choice.name != str(choice.value):
                        yield choice.name, f"{where}:{option.display_name}"
    for kind in (AppCommandType.message, AppCommandType.user):
        for menu in tree.walk_commands(type=kind):
            yield menu.name, "menu"
