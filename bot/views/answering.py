"""Acknowledge first, look up after: the one place that answers interactions.

Discord gives up on an interaction that nobody answered within 3 s. So every command, button, menu and form
is acknowledged here before it looks anything up, however slow the database, the disk or Discord's list of
members are; what it has to say then takes the place of the acknowledgement. No other module may touch
`interaction.response`.

Expected errors become one line that only the person sees. Everything else is logged under a reference
that the person can pass on.
"""

import asyncio
import contextlib
import enum
import functools
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import discord
import structlog
from discord import app_commands
from discord.utils import MISSING

from bot import i18n
from bot.i18n import _
from bot.infra.discord.refusals import ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION, UNKNOWN_MESSAGE
from bot.views.error_handler import line_for
from models import DatabaseError
from textgen.files.atomic import is_disk_full

log = structlog.stdlib.get_logger(__name__)

LOOK_UP_S = 1.5
"""How long what must be the first answer itself (a form, choices while typing) waits for a look-up."""

TOO_LATE = frozenset({UNKNOWN_INTERACTION, ALREADY_ACKNOWLEDGED})

Interaction = discord.Interaction[Any]
Owner = TypeVar("Owner")
Result = TypeVar("Result")
P = ParamSpec("P")
Command = Callable[Concatenate[Owner, Interaction, P], Coroutine[Any, Any, None]]

_STATE = "acknowledgement"


class Ack(enum.Enum):
    """How an interaction is acknowledged.

    Whether an answer is private is settled by its acknowledgement, so it is decided without a look-up.
    """

    PRIVATELY = "the answer is for this person alone"
    PUBLICLY = "the answer is for everybody, a refusal for this person alone"
    UPDATE = "the answer takes the place of the message whose button was pressed"
    ITSELF = "not at all: the callback opens a form, which must be the first answer"


@dataclass
class _Acknowledgement:
    """What became of one interaction.

    Attributes:
        ack: how it was acknowledged.
        answered: something that a person reads has been sent.
    """

    ack: Ack
    answered: bool = False


class TooLate(Exception):
    """Discord no longer takes an answer to this interaction, so nothing is done about it."""


async def acknowledge(interaction: Interaction, ack: Ack) -> None:
    """Acknowledge an interaction.

    Where the message is gone that the answer was to change, the answer is for this person alone.

    Raises:
        TooLate: Discord does not know it any more.
    """
    interaction.extras[_STATE] = _Acknowledgement(ack)
    if ack is Ack.ITSELF:
        return
    try:
        await interaction.response.defer(ephemeral=ack is Ack.PRIVATELY, thinking=ack is not Ack.UPDATE)
    except discord.HTTPException as error:
        if error.code == UNKNOWN_MESSAGE and ack is Ack.UPDATE:
            await acknowledge(interaction, Ack.PRIVATELY)
            return
        if error.code not in TOO_LATE:
            raise
        raise TooLate(error.text) from None


async def answer(
    interaction: Interaction,
    content: str | None = MISSING,
    *,
    embeds: Sequence[discord.Embed] = MISSING,
    files: Sequence[discord.File] = MISSING,
    view: discord.ui.View | None = MISSING,
) -> None:
    """Give the answer, in the place of the acknowledgement; what is left out of an update stays as it is.

    Where that is gone, the answer comes as a message of its own, for this person alone.
    """
    try:
        await interaction.edit_original_response(content=content, embeds=embeds, attachments=files, view=view)
    except discord.NotFound as error:
        if error.code != UNKNOWN_MESSAGE:
            raise
        for file in files or ():
            file.reset()
        await interaction.followup.send(
            content or MISSING,
            embeds=embeds,
            files=files,
            view=MISSING if view is None else view,
            ephemeral=True,
        )
    _state(interaction).answered = True


async def answer_privately(
    interaction: Interaction,
    line: str = MISSING,
    *,
    embed: discord.Embed = MISSING,
    view: discord.ui.View = MISSING,
) -> None:
    """Show something to this person alone, whatever was answered before."""
    state = _state(interaction)
    if not interaction.response.is_done():
        await interaction.response.send_message(
            None if line is MISSING else line, embed=embed, view=view, ephemeral=True
        )
    elif not state.answered and state.ack is Ack.PRIVATELY:
        await interaction.edit_original_response(content=line, embed=embed, view=view)
    elif not state.answered and state.ack is Ack.PUBLICLY:
        # What was acknowledged for everyone cannot turn private. It is ended first: until then Discord takes
        # whatever follows for its public content.
        await interaction.edit_original_response(content="…")
        await interaction.followup.send(line, embed=embed, view=view, ephemeral=True)
        await interaction.delete_original_response()
    else:
        await interaction.followup.send(line, embed=embed, view=view, ephemeral=True)
    state.answered = True


async def show_form(interaction: Interaction, form: discord.ui.Modal) -> None:
    """Open a form as the first answer."""
    await interaction.response.send_modal(form)


async def take_away(interaction: Interaction) -> None:
    """Delete the message whose button was pressed, if somebody else was not quicker."""
    try:
        await interaction.delete_original_response()
    except discord.NotFound as error:
        if error.code != UNKNOWN_MESSAGE:
            raise


async def within_time(looked_up: Awaitable[Result], default: Result) -> Result:
    """What is looked up for a first answer, or the default where that fails or takes longer than `LOOK_UP_S`.

    Whatever a form is opened with is checked again when it is sent.
    """
    try:
        async with asyncio.timeout(LOOK_UP_S):
            return await looked_up
    except (TimeoutError, DatabaseError) as error:
        log.info("answered without a look-up", error=str(error) or "it takes too long")
        return default


def answers(
    ack: Ack | Callable[[Mapping[str, Any]], Ack],
) -> Callable[["Command[Owner, P]"], "Command[Owner, P]"]:
    """Decorate a command: it is acknowledged, and expected errors are answered with their line.

    Args:
        ack: how; or what tells it from the options that were given.
    """

    def decorate(callback: "Command[Owner, P]") -> "Command[Owner, P]":
        @functools.wraps(callback)
        async def wrapper(owner: Owner, interaction: Interaction, *args: P.args, **kwargs: P.kwargs) -> None:
            try:
                await acknowledge(interaction, ack if isinstance(ack, Ack) else ack(kwargs))
                await callback(owner, interaction, *args, **kwargs)
            except TooLate as late:
                _log_late(interaction, late)
            except Exception as error:
                line = line_for(error)
                if line is None or _is_vanished(error):
                    raise
                _log_outage(interaction, error)
                await answer_privately(interaction, line)

        return cast("Command[Owner, P]", wrapper)

    return decorate


async def run_answering(interaction: Interaction, ack: Ack, work: Callable[[], Awaitable[None]]) -> None:
    """Acknowledge, then do the work; for buttons and forms, which no command tree stands behind.

    Whatever goes wrong is answered.
    """
    _address(interaction)
    try:
        await acknowledge(interaction, ack)
        await work()
    except TooLate as late:
        _log_late(interaction, late)
    except Exception as error:  # noqa: BLE001 - the outermost frame of ours; logged with a reference
        await answer_error(interaction, error)


async def answer_error(interaction: Interaction, error: BaseException) -> None:
    """Answer with the error's line or, for an unexpected one, with a reference to the log."""
    if _is_vanished(error):
        log.info("what was to be answered is gone", guild=interaction.guild_id, error=str(error))
        with contextlib.suppress(discord.HTTPException):
            if not _is_vanished(error, TOO_LATE):
                await answer_privately(interaction, _("This message no longer exists."))
        return
    line = line_for(error)
    if line is None:
        reference = secrets.token_hex(4)
        log.error(
            "unexpected error",
            reference=reference,
            guild=interaction.guild_id,
            command=interaction.command.qualified_name if interaction.command else None,
            exc_info=error,
        )
        line = _("Something went wrong on our side. Reference for the host's log: {reference}.").format(
            reference=f"`{reference}`"
        )
    else:
        _log_outage(interaction, error)
    try:
        await answer_privately(interaction, line)
    except discord.HTTPException as refused:
        if not _is_vanished(refused):
            raise
        log.info("what was to be answered is gone", guild=interaction.guild_id, error=str(refused))


class AnsweringTree(app_commands.CommandTree[Any]):
    """A command tree that answers every error: of checks, of options, and what no command expected."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Let every command pass, and answer it in the person's language."""
        _address(interaction)
        return True

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Answer what a check, an option or the command itself raised."""
        await answer_error(interaction, error)


def _address(interaction: Interaction) -> None:
    """Speak from here on in the person's language, and without the words that their server hides."""
    i18n.locale.set(str(interaction.locale))
    interaction.client.words.hide_for(interaction.guild_id)


def _state(interaction: Interaction) -> _Acknowledgement:
    # What comes before a command's own frame (an option of the wrong kind) has acknowledged nothing.
    state: _Acknowledgement = interaction.extras.setdefault(_STATE, _Acknowledgement(Ack.ITSELF))
    return state


def _is_vanished(error: BaseException, codes: frozenset[int] = TOO_LATE | {UNKNOWN_MESSAGE}) -> bool:
    """Whether Discord says that a message or an interaction is there no longer, or answered already."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    return isinstance(error, discord.HTTPException) and error.code in codes


def _log_outage(interaction: Interaction, error: BaseException) -> None:
    """Tell the host of a full disk or a database that cannot be used, which only the host can put right."""
    if isinstance(error, DatabaseError) or is_disk_full(error):
        log.error("refused for want of disk or database", guild=interaction.guild_id, error=str(error))


def _log_late(interaction: Interaction, late: TooLate) -> None:
    log.warning("too late for an interaction", guild=interaction.guild_id, discord=str(late))
