"""Confirming and resuming a schedule: everything is checked again at that moment."""

import datetime
from typing import Any

import discord
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.guilds.permissions import guild_of
from bot.guilds.time_zones import zone_named
from bot.i18n import _, ngettext
from bot.scheduling.parser import read_rule
from bot.scheduling.posting_checks import channel_to_post
from models import GuildSettings, Schedule, ScheduleState, audit, guilds, schedules, text_models

Interaction = discord.Interaction[Any]


class UnknownSchedule(UserError):
    """The server has no such schedule; a schedule of another server gets the same answer."""

    def __init__(self) -> None:
        super().__init__(_("There is no such schedule here. /schedule list shows what there is."))


def title(schedule: Schedule) -> str:
    """Return one line of plain text: the schedule's number, rule and time zone."""
    return f"#{schedule.id} · {schedule.rule} {schedule.timezone}"


def require_room(session: Session, guild_id: int, host_limit: int) -> None:
    """Check that the guild may have one more schedule.

    Raises:
        UserError: the guild has as many as it may.
    """
    most = min(guilds.settings_of(session, guild_id).schedules, host_limit)
    if len(schedules.listing(session, guild_id, lock=True)) >= most:
        raise UserError(
            ngettext(
                "This server may have {number} schedule. Remove one first: /schedule remove.",
                "This server may have {number} schedules. Remove one first: /schedule remove.",
                most,
            ).format(number=most)
            if most
            else _("Schedules are switched off on this server.")
        )


async def confirm(interaction: Interaction, schedule_id: int) -> tuple[Schedule, str | None]:
    """Confirm a draft; return the schedule and the name of its model (None: the server's default).

    Raises:
        UnknownSchedule: the server has no such draft.
        UserError: the server may have no more schedules, or the bot cannot post to the channel now.
    """
    bot, guild_id = interaction.client, guild_of(interaction)
    next_slot = await _next_slot(interaction, schedule_id, ScheduleState.DRAFT)

    def save(session: Session) -> tuple[Schedule, str | None]:
        guilds.lock(session, guild_id)  # so that of two confirmations at once each counts the other
        require_room(session, guild_id, bot.settings.max_schedules_per_guild)
        saved = schedules.confirm(session, guild_id, schedule_id, next_slot=next_slot)
        if saved is None:
            raise UnknownSchedule
        channel = str(saved.channel_id)
        audit.record(session, guild_id, interaction.user.id, "schedule.added", title(saved), channel=channel)
        return saved, model_name(session, saved)

    saved: tuple[Schedule, str | None] = await bot.database.call(save, write=True)
    return saved


async def resume(interaction: Interaction, schedule_id: int) -> tuple[Schedule, str | None]:
    """Let a paused schedule post again; who resumes it is responsible for it.

    Raises:
        UnknownSchedule: the server has no such schedule.
        UserError: it is not paused, or it still cannot post.
    """
    bot, guild_id, by = interaction.client, guild_of(interaction), interaction.user.id
    next_slot = await _next_slot(interaction, schedule_id, ScheduleState.PAUSED)

    def change(session: Session) -> tuple[Schedule, str | None]:
        resumed = schedules.resume(session, guild_id, schedule_id, by=by, next_slot=next_slot)
        if resumed is None:
            raise _not_paused()
        audit.record(session, guild_id, by, "schedule.resumed", title(resumed))
        return resumed, model_name(session, resumed)

    resumed: tuple[Schedule, str | None] = await bot.database.call(change, write=True)
    return resumed


def model_name(session: Session, schedule: Schedule) -> str | None:
    """Return the name of the schedule's model; None if it uses the server's default."""
    if schedule.model_id is None:
        return None
    model = text_models.get(session, schedule.guild_id, schedule.model_id)
    return None if model is None else model.name


async def _next_slot(interaction: Interaction, schedule_id: int, state: ScheduleState) -> datetime.datetime:
    """Return when a schedule in a state would post next, after checking that it can."""
    bot, guild_id = interaction.client, guild_of(interaction)

    def look_up(session: Session) -> tuple[Schedule | None, GuildSettings]:
        find = schedules.draft if state is ScheduleState.DRAFT else schedules.get
        return find(session, guild_id, schedule_id), guilds.settings_of(session, guild_id)

    schedule, settings = await bot.database.call(look_up)
    if schedule is None:
        raise UnknownSchedule
    if schedule.state is not state:
        raise _not_paused()
    if interaction.guild is None:
        raise UnknownSchedule
    await channel_to_post(interaction.guild, schedule.channel_id, settings)
    rule = read_rule(schedule.rule, least_minutes=bot.settings.schedule_minutes)
    return rule.after(bot.poster.now(), zone_named(schedule.timezone), schedule.anchor)


def _not_paused() -> UserError:
    return UserError(_("This schedule is not paused."))
