"""Confirming and resuming a schedule: everything is checked again at that moment."""

import datetime
from typing import Any

import discord
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.guilds.permissions import guild_of
from bot.guilds.time_zones import zone_named
from bot.i18n import _, ngettext
from bot.scheduling.checks import channel_to_post
from bot.scheduling.parser import read_rule
from models import GuildSettings, Schedule, ScheduleState, audit, guilds, schedules, text_models

Interaction = discord.Interaction[Any]


class UnknownSchedule(UserError):
    """No such schedule here; one of another server gets the same words."""

    def __init__(self) -> None:
        super().__init__(_("There is no such schedule here. /schedule list shows what there is."))


def title(schedule: Schedule) -> str:
    """A schedule in one line of plain text: its number, when and where in the world."""
    return f"#{schedule.id} · {schedule.rule} {schedule.timezone}"


def require_room(session: Session, guild_id: int, host_limit: int) -> None:
    """See that the guild may have one more schedule.

    Raises:
        UserError: it has as many as it may.
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
            else _("This server may have no schedules.")
        )


async def confirm(interaction: Interaction, schedule_id: int) -> tuple[Schedule, str | None]:
    """Save a draft, and say what its model is called (None: the server's default).

    Raises:
        UnknownSchedule: there is no such draft here.
        UserError: the server may have no more, or the channel cannot be posted to now.
    """
    bot, guild_id = interaction.client, guild_of(interaction)
    schedule, settings = await _found(interaction, schedule_id, ScheduleState.DRAFT)
    await _require_channel(interaction, schedule, settings)
    next_slot = _next_slot(schedule, bot.poster.now(), bot.settings.schedule_minutes)

    def save(session: Session) -> tuple[Schedule | None, str | None]:
        guilds.lock(session, guild_id)  # of two who confirm at once one counts the other
        require_room(session, guild_id, bot.settings.max_schedules_per_guild)
        saved = schedules.confirm(session, guild_id, schedule_id, next_slot=next_slot)
        if saved is not None:
            audit.record(
                session,
                guild_id,
                interaction.user.id,
                "schedule.added",
                title(saved),
                channel=str(saved.channel_id),
            )
        return saved, None if saved is None else model_name(session, saved)

    saved, name = await bot.database.call(save, write=True)
    if saved is None:
        raise UnknownSchedule
    return saved, name


async def resume(interaction: Interaction, schedule_id: int) -> tuple[Schedule, str | None]:
    """Let a paused schedule post again; who resumes it answers for it.

    Raises:
        UnknownSchedule: the server has none of that number.
        UserError: it is not paused, or what it takes is still missing.
    """
    bot, guild_id = interaction.client, guild_of(interaction)
    schedule, settings = await _found(interaction, schedule_id, ScheduleState.PAUSED)
    await _require_channel(interaction, schedule, settings)
    next_slot = _next_slot(schedule, bot.poster.now(), bot.settings.schedule_minutes)

    def change(session: Session) -> tuple[Schedule | None, str | None]:
        resumed = schedules.resume(
            session, guild_id, schedule_id, by=interaction.user.id, next_slot=next_slot
        )
        if resumed is None:
            return None, None
        audit.record(session, guild_id, interaction.user.id, "schedule.resumed", title(resumed))
        return resumed, model_name(session, resumed)

    resumed, name = await bot.database.call(change, write=True)
    if resumed is None:
        raise UserError(_("This schedule is not paused."))
    return resumed, name


def model_name(session: Session, schedule: Schedule) -> str | None:
    """What the schedule's own model is called; None where it takes the server's default."""
    if schedule.model_id is None:
        return None
    model = text_models.get(session, schedule.guild_id, schedule.model_id)
    return None if model is None else model.name


async def _found(
    interaction: Interaction, schedule_id: int, state: ScheduleState
) -> tuple[Schedule, GuildSettings]:
    guild_id = guild_of(interaction)

    def look_up(session: Session) -> tuple[Schedule | None, GuildSettings]:
        find = schedules.draft if state is ScheduleState.DRAFT else schedules.get
        return find(session, guild_id, schedule_id), guilds.settings_of(session, guild_id)

    schedule, settings = await interaction.client.database.call(look_up)
    if schedule is None:
        raise UnknownSchedule
    if schedule.state is not state:
        raise UserError(_("This schedule is not paused."))
    return schedule, settings


async def _require_channel(interaction: Interaction, schedule: Schedule, settings: GuildSettings) -> None:
    if interaction.guild is None:
        raise UnknownSchedule
    await channel_to_post(interaction.guild, schedule.channel_id, settings)


def _next_slot(schedule: Schedule, now: datetime.datetime, least_minutes: int) -> datetime.datetime:
    rule = read_rule(schedule.rule, least_minutes=least_minutes)
    return rule.after(now, zone_named(schedule.timezone), schedule.anchor)
