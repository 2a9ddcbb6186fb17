"""Acknowledge first, look up after: the one place that answers interactions.

Discord drops an interaction that is not answered within 3 s. So every command, button, menu and form is
acknowledged here before anything is looked up, however slow the database, the disk or Discord's list of
members are. The answer then replaces the acknowledgement. No other module may use `interaction.response`.

An expected error becomes one line that only the person sees. Any other error is logged under a reference
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
from bot.infra.watching.metrics import Failure
from bot.views.error_messages import line_for, log_late, log_outage
from models import DatabaseError

log = structlog.stdlib.get_logger(__name__)

LOOK_UP_S = 1.5
"""Seconds that a form, or choices while typing, waits for a look-up: it must be the first answer itself."""

TOO_LATE = frozenset({UNKNOWN_INTERACTION, ALREADY_ACKNOWLEDGED})

Interaction = discord.Interaction[Any]
Owner = TypeVar("Owner")
Result = TypeVar("Result")
P = ParamSpec("P")
Command = Callable[Concatenate[Owner, Interaction, P], Coroutine[Any, Any, None]]

_STATE = "acknowledgement"


class Ack(enum.Enum):
    """How an interaction is acknowledged.

    The acknowledgement decides whether the answer is private, so that needs no look-up.
    """

    PRIVATELY = "the answer is for this person alone"
    PUBLICLY = "the answer is for everybody, a refusal for this person alone"
    UPDATE = "the answer takes the place of the message whose button was pressed"
    ITSELF = "not at all: the callback opens a form, which must be the first answer"


@dataclass
class _Acknowledgement:
    """State of one interaction.

    Attributes:
        ack: how it was acknowledged.
        answered: the person has been sent something to read.
    """

    ack: Ack
    answered: bool = False


class TooLate(Exception):
    """Discord no longer accepts an answer to this interaction, so nothing is done."""


async def acknowledge(interaction: Interaction, ack: Ack) -> None:
    """Acknowledge an interaction.

    If the message that the answer should replace is gone, the answer is private.

    Args:
        interaction: not acknowledged yet.
        ack: how to acknowledge it.

    Raises:
        TooLate: Discord does not know the interaction any more.
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
) -> discord.Message:
    """Replace the acknowledgement by the answer; parts of an updated message that are not given stay.

    If the message is gone, the answer is a new private message.

    Returns:
        The answer.
    """
    message: discord.Message
    try:
        message = await interaction.edit_original_response(
            content=content, embeds=embeds, attachments=files, view=view
        )
    except discord.NotFound as error:
        if error.code != UNKNOWN_MESSAGE:
            raise
        for file in files or ():
            file.reset()
        message = await interaction.followup.send(
            content or MISSING,
            embeds=embeds,
            files=files,
            view=MISSING if view is None else view,
            ephemeral=True,
            wait=True,
        )
    _state(interaction).answered = True
    return message


async def answer_privately(
    interaction: Interaction,
    line: str = MISSING,
    *,
    embed: discord.Embed = MISSING,
    view: discord.ui.View = MISSING,
) -> None:
    """Show something to this person alone, even after a public acknowledgement."""
    state = _state(interaction)
    if not interaction.response.is_done():
        await interaction.response.send_message(
            None if line is MISSING else line, embed=embed, view=view, ephemeral=True
        )
    elif not state.answered and state.ack is Ack.PRIVATELY:
        await interaction.edit_original_response(content=line, embed=embed, view=view)
    elif not state.answered and state.ack is Ack.PUBLICLY:
        # A public acknowledgement cannot become private. It is ended first: until then Discord takes whatever
        # follows as its public content.
        await interaction.edit_original_response(content="…")
        await interaction.followup.send(line, embed=embed, view=view, ephemeral=True)
        await interaction.delete_original_response()
    else:
        await interaction.followup.send(line, embed=embed, view=view, ephemeral=True)
    state.answered = True


async def show_form(interaction: Interaction, form: discord.ui.Modal) -> None:
    """Open a form as the first answer to an interaction."""
    await interaction.response.send_modal(form)


async def take_away(interaction: Interaction) -> None:
    """Delete the message whose button was pressed, unless it is already gone."""
    try:
        await interaction.delete_original_response()
    except discord.NotFound as error:
        if error.code != UNKNOWN_MESSAGE:
            raise


async def within_time(looked_up: Awaitable[Result], default: Result) -> Result:
    """Return the result of a look-up, or the default if it fails or takes longer than `LOOK_UP_S`.

    A form may open with the default, because everything is checked again when the form is sent.
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
    """Decorate a command: it is acknowledged first, and expected errors are answered with their line.

    Args:
        ack: the acknowledgement, or a function that chooses it from the command's options.
    """

    def decorate(callback: "Command[Owner, P]") -> "Command[Owner, P]":
        @functools.wraps(callback)
        async def wrapper(owner: Owner, interaction: Interaction, *args: P.args, **kwargs: P.kwargs) -> None:
            try:
                await acknowledge(interaction, ack if isinstance(ack, Ack) else ack(kwargs))
                await callback(owner, interaction, *args, **kwargs)
            except TooLate as late:
                log_late(interaction, late)
            except Exception as error:
                line = line_for(error)
                if line is None or _is_vanished(error):
                    raise
                log_outage(interaction, error)
                await answer_privately(interaction, line)

        return cast("Command[Owner, P]", wrapper)

    return decorate


def as_asked(options: Mapping[str, Any]) -> Ack:
    """How a command with the option `private` is acknowledged."""
    return Ack.PRIVATELY if options.get("private") else Ack.PUBLICLY


async def run_answering(interaction: Interaction, ack: Ack, work: Callable[[], Awaitable[None]]) -> None:
    """Acknowledge a button or a form, then do the work; every error is answered.

    Commands need no such call: `bot.commands.tree` answers their errors.
    """
    address(interaction)
    try:
        await acknowledge(interaction, ack)
        await work()
    except TooLate as late:
        log_late(interaction, late)
    except Exception as error:  # noqa: BLE001 - the outermost frame of ours; logged with a reference
        await answer_error(interaction, error)


async def answer_error(interaction: Interaction, error: BaseException) -> None:
    """Answer with the error's line; an unexpected error is answered with a reference to the log."""
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
        interaction.client.metrics.failed(Failure.UNEXPECTED)
        line = _("Something went wrong on our side. Reference for the host's log: {reference}.").format(
            reference=f"`{reference}`"
        )
    else:
        log_outage(interaction, error)
    try:
        await answer_privately(interaction, line)
    except discord.HTTPException as refused:
        if not _is_vanished(refused):
            raise
        log.info("what was to be answered is gone", guild=interaction.guild_id, error=str(refused))


def address(interaction: Interaction) -> None:
    """From here on use the person's language, and hide the words that their server hides."""
    i18n.locale.set(str(interaction.locale))
    interaction.client.words.hide_for(interaction.guild_id)


def _state(interaction: Interaction) -> _Acknowledgement:
    # An error before the command itself (an option of the wrong kind) finds nothing acknowledged.
    state: _Acknowledgement = interaction.extras.setdefault(_STATE, _Acknowledgement(Ack.ITSELF))
    return state


def _is_vanished(error: BaseException, codes: frozenset[int] = TOO_LATE | {UNKNOWN_MESSAGE}) -> bool:
    """Whether Discord says that a message or an interaction is gone, or was answered already."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    return isinstance(error, discord.HTTPException) and error.code in codes
