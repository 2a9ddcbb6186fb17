"""What people read when something goes wrong: one table from exception to line of text.

What only the host can repair is also logged and counted here.
"""

from collections.abc import Callable
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.errors import NoModels, SampleRefused, UnknownModel, UserError
from bot.i18n import _, marked
from bot.infra.storage.errors import StorageError
from bot.infra.watching.metrics import Failure
from bot.text import card_style, reasons, safe_text
from models import DatabaseError, InvalidNameError
from textgen.errors import TextgenError
from textgen.files.atomic import is_disk_full

log = structlog.stdlib.get_logger(__name__)

LINE_CHARACTERS = 1500
VALUE_CHARACTERS = 60


def _shortened(text: str) -> str:
    return text if len(text) <= VALUE_CHARACTERS else f"{text[: VALUE_CHARACTERS - 1]}…"


class _Number(int):
    """A whole number that ``{name:,}`` groups as in the reader's language."""

    def __format__(self, spec: str) -> str:
        return card_style.decimal(self) if spec == "," else super().__format__(spec)


def _own_words(error: TextgenError | InvalidNameError | SampleRefused) -> str:
    """The message of an error from the library or the database, translated if there is a translation."""
    # An error's text may name flags, which nobody here has.
    told = error.line
    if error.values:
        values = {
            name: _(value) if isinstance(value, str) else _Number(value)
            for name, value in error.values.items()
        }
        told = _(error.line).format(**values)
    words = safe_text.safe_within(reasons.for_people(told), LINE_CHARACTERS)
    # A file's name stays as it is written.
    return words if error.line.startswith("{") else words[:1].upper() + words[1:]


def _unknown_model(error: UnknownModel) -> str:
    if error.name is None:
        return _("There is no such model here. /models lists what there is.")
    line = _("There is no model named “{name}” here. /models lists what there is.")
    return line.format(name=safe_text.safe(_shortened(error.name)))


def _of_database(error: DatabaseError) -> str:
    if error.disk_full:
        return _(NO_ROOM)
    return _("The bot's database cannot be used at this moment. Please try again later.")


def _not_valid(error: app_commands.TransformerError) -> str:
    line = _("“{value}” is not valid here.")
    return line.format(value=safe_text.safe(_shortened(str(error.value))))


NO_ROOM = marked("The disk of this bot's host is full, so this could not be done. Please try again later.")

# The line itself, in English, or what makes it.
LINES: tuple[tuple[type[BaseException], str | Callable[[Any], str]], ...] = (
    (SampleRefused, _own_words),
    (UnknownModel, _unknown_model),
    (NoModels, marked("There is no model here yet. Train one: /train with a text you may use.")),
    (UserError, str),
    (TextgenError, _own_words),
    (DatabaseError, _of_database),
    (StorageError, marked("The bot's files cannot be reached at this moment. Please try again later.")),
    (InvalidNameError, _own_words),
    (app_commands.NoPrivateMessage, marked("This works in a server only, not in direct messages.")),
    (app_commands.TransformerError, _not_valid),
    (
        app_commands.CommandNotFound,
        marked("This command is no longer here: reload Discord (Ctrl+R) to see the current ones."),
    ),
    (
        app_commands.CommandSignatureMismatch,
        marked("This command has changed: reload Discord (Ctrl+R) and try again."),
    ),
    (app_commands.CheckFailure, marked("You may not do this here.")),
)


def line_for(error: BaseException) -> str | None:
    """Return the line for an expected error; None for an unexpected one."""
    if isinstance(error, app_commands.CommandInvokeError):
        return line_for(error.original)
    if is_disk_full(error):
        return _(NO_ROOM)
    line = next((line for kind, line in LINES if isinstance(error, kind)), None)
    if line is None:
        return None
    return _(line) if isinstance(line, str) else line(error)


def log_outage(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Log and count a full disk or an unusable database, which only the host can repair."""
    full = is_disk_full(error) or (isinstance(error, DatabaseError) and error.disk_full)
    if full or isinstance(error, DatabaseError):
        log.error("refused for want of disk or database", guild=interaction.guild_id, error=str(error))
        interaction.client.metrics.failed(Failure.DISK if full else Failure.DATABASE)


def log_late(interaction: discord.Interaction[Any], late: Exception) -> None:
    """Log and count an interaction that Discord no longer takes an answer to."""
    log.warning("too late for an interaction", guild=interaction.guild_id, discord=str(late))
    interaction.client.metrics.failed(Failure.TOO_LATE)
