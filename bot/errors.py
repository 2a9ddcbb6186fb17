"""What people read when something goes wrong: one table from exception to line.

Expected errors become one line that only the person sees. Everything else is logged under a reference
that the person can pass on.
"""

import functools
import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import discord
import structlog
from discord import app_commands

from bot import i18n
from bot.i18n import _
from bot.presentation import reasons, safe_text, style
from models import InvalidNameError
from textgen.errors import TextgenError

log = structlog.stdlib.get_logger(__name__)

Owner = TypeVar("Owner")
P = ParamSpec("P")
Command = Callable[Concatenate[Owner, discord.Interaction[Any], P], Coroutine[Any, Any, None]]

PRIVATE = "answers_privately"
LINE_CHARACTERS = 1500


class UserError(Exception):
    """Something a person can put right; `str()` is one clear line for them."""


class PermissionRefused(UserError):
    """The person may not do this here."""


class UnknownModel(UserError):
    """No model of that name here; a model of another server gets the same words."""

    def __init__(self, name: str | None) -> None:
        if name is None:
            super().__init__(_("There is no such model here. /models lists what there is."))
            return
        line = _("There is no model named “{name}” here. /models lists what there is.")
        super().__init__(line.format(name=safe_text.safe(_shortened(name))))


class NoModels(UserError):
    """The server has no model yet."""

    def __init__(self) -> None:
        super().__init__(_("There is no model here yet. Train one: /train with a text you may use."))


class SamplerUnavailable(UserError):
    """The sampler process did not answer."""


class SampleRefused(UserError):
    """The sampler answered that it cannot do this: a character the model never saw, a broken bundle.

    Args:
        message: the sampler's own words.
        line: where those were put together, their format.
        values: what stands for the names in it.
    """

    def __init__(self, message: str, line: str = "", values: Mapping[str, str | int] | None = None) -> None:
        super().__init__(message)
        self.line, self.values = line or message, values or {}


def guild_of(interaction: discord.Interaction[Any]) -> int:
    """The server an interaction comes from.

    Raises:
        NoPrivateMessage: it comes from a direct message.
    """
    if interaction.guild_id is None:
        raise app_commands.NoPrivateMessage
    return interaction.guild_id


def _shortened(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


class _Number(int):
    """A whole number that a line's ``{name:,}`` groups as the reader does."""

    def __format__(self, spec: str) -> str:
        return style.decimal(self) if spec == "," else super().__format__(spec)


def _own_words(error: TextgenError | InvalidNameError | SampleRefused) -> str:
    """What an error of the rooms below says, in the reader's language where there is a translation."""
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


LINES: tuple[tuple[type[BaseException], Callable[[Any], str]], ...] = (
    (SampleRefused, _own_words),
    (UserError, str),
    (TextgenError, _own_words),
    (InvalidNameError, _own_words),
    (app_commands.NoPrivateMessage, lambda _error: _("This works in a server only, not in direct messages.")),
    (
        app_commands.CommandOnCooldown,
        lambda error: _("One moment, please: try again in {seconds} s.").format(
            seconds=f"{cast('Any', error).retry_after:.0f}"
        ),
    ),
    (
        app_commands.TransformerError,
        lambda error: _("“{value}” is not valid here.").format(
            value=safe_text.safe(_shortened(str(cast("Any", error).value)))
        ),
    ),
    (
        app_commands.CommandNotFound,
        lambda _error: _("This command is no longer here: reload Discord (Ctrl+R) to see the current ones."),
    ),
    (
        app_commands.CommandSignatureMismatch,
        lambda _error: _("This command has changed: reload Discord (Ctrl+R) and try again."),
    ),
    (app_commands.CheckFailure, lambda _error: _("You may not do this here.")),
)


def line_for(error: BaseException) -> str | None:
    """The line for an expected error, None for an unexpected one."""
    if isinstance(error, app_commands.CommandInvokeError):
        return line_for(error.original)
    return next((line(error) for kind, line in LINES if isinstance(error, kind)), None)


async def answer_privately(interaction: discord.Interaction[Any], line: str) -> None:
    """Show the line to this person alone, whatever was answered before.

    An answer that was deferred for everyone cannot turn private, so it is taken back first.
    """
    if not interaction.response.is_done():
        await interaction.response.send_message(line, ephemeral=True)
    elif interaction.extras.get(PRIVATE):
        await interaction.edit_original_response(content=line)
    else:
        if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            await interaction.delete_original_response()
        await interaction.followup.send(line, ephemeral=True)


async def defer_privately(interaction: discord.Interaction[Any]) -> None:
    """Acknowledge at once; the answer will be for this person alone."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    interaction.extras[PRIVATE] = True


async def answer_unexpected(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Log the error under a reference and give the person that reference."""
    reference = secrets.token_hex(4)
    log.error(
        "unexpected error",
        reference=reference,
        guild=interaction.guild_id,
        command=interaction.command.qualified_name if interaction.command else None,
        exc_info=error,
    )
    await answer_privately(
        interaction,
        _("Something went wrong on our side. Reference for the host's log: {reference}.").format(
            reference=f"`{reference}`"
        ),
    )


class AnsweringTree(app_commands.CommandTree[Any]):
    """A command tree that answers every error: of checks, of options, and what no command expected."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Let every command pass, and answer it in the person's language."""
        i18n.locale.set(str(interaction.locale))
        return True

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer with the error's line or, for an unexpected one, with a reference to the log."""
        line = line_for(error)
        if line is not None:
            await answer_privately(interaction, line)
        else:
            await answer_unexpected(interaction, error)


def answers_expected(callback: "Command[Owner, P]") -> "Command[Owner, P]":
    """Decorate a command: expected errors are answered with their line and end there."""

    @functools.wraps(callback)
    async def wrapper(
        owner: Owner, interaction: discord.Interaction[Any], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        try:
            await callback(owner, interaction, *args, **kwargs)
        except Exception as error:
            line = line_for(error)
            if line is None:
                raise
            await answer_privately(interaction, line)

    return cast("Command[Owner, P]", wrapper)


def answers_everything(callback: "Command[Owner, P]") -> "Command[Owner, P]":
    """Decorate a button, which no command tree stands behind: unexpected errors are answered too."""

    @functools.wraps(callback)
    async def wrapper(
        owner: Owner, interaction: discord.Interaction[Any], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        i18n.locale.set(str(interaction.locale))
        try:
            await callback(owner, interaction, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the outermost frame of ours; logged with a reference
            line = line_for(error)
            if line is None:
                await answer_unexpected(interaction, error)
            else:
                await answer_privately(interaction, line)

    return cast("Command[Owner, P]", wrapper)
