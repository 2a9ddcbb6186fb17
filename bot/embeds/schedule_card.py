"""Schedules as people see them: the preview before one is saved, the list, and the notice of a pause."""

import datetime
from collections.abc import Mapping, Sequence

import discord

from bot.i18n import _, marked
from bot.i18n.retelling import retold
from bot.text import card_style, safe_text
from models import Schedule, ScheduleState

# Ten schedules with the longest names stay below an embed's 6,000 characters.
SCHEDULES_A_CARD = 10
SEED_CHARACTERS = 120
REASON_CHARACTERS = 250

PAUSED = marked("Paused by {name}.")
STOPPED = marked("Stopped by {name} with the button of a post.")
"""Why a schedule is paused that a person paused: the name is looked up when it is shown."""

# What stands in rows of before that held a name, and in those of tables that know nothing of languages.
_OTHERS = (
    marked("Paused by hand."),
    marked("Stopped by hand with the button of a post."),
    marked("Its model was deleted."),
)


def footer(schedule: Schedule, figures: str) -> str:
    """The line below a post: which schedule it is of, then the sample's own figures."""
    return f"{safe_text.plain(schedule.rule)} {schedule.timezone} · {figures}"


def preview_card(
    schedule: Schedule, model_name: str | None, slots: Sequence[datetime.datetime]
) -> discord.Embed:
    """What a schedule will do, for the person to confirm."""
    embed = discord.Embed(
        title=_("Save this schedule?"),
        description=f"**{safe_text.safe(schedule.rule)}** · {schedule.timezone}",
        colour=card_style.QUEUED,
    )
    embed.add_field(
        name=_("The next three times"),
        value="\n".join(map(_timestamp, slots)),
        inline=False,
    )
    embed.add_field(name=_("Channel"), value=f"<#{schedule.channel_id}>")
    embed.add_field(name=_("Model"), value=_model(model_name))
    embed.add_field(name=_("Settings"), value=_settings(schedule))
    if schedule.seed:
        embed.add_field(
            name=_("Continues"), value=safe_text.safe_within(schedule.seed, SEED_CHARACTERS), inline=False
        )
    return embed


def saved_card(schedule: Schedule, model_name: str | None) -> discord.Embed:
    """A schedule that has been confirmed."""
    embed = discord.Embed(
        title=_("Schedule #{number} is saved").format(number=schedule.id), colour=card_style.DONE
    )
    embed.add_field(name=_when(schedule), value=_lines(schedule, model_name, {}))
    embed.set_footer(text=_("Every post has a Stop button for those who manage the server."))
    return embed


def list_cards(
    schedules: Sequence[Schedule], model_names: Mapping[int, str], names: Mapping[int, str]
) -> list[discord.Embed]:
    """All schedules of a server, on as many cards as it takes.

    Args:
        schedules: in order.
        model_names: by the models' ids.
        names: of who paused them, by their ids.
    """
    cards = []
    for start in range(0, len(schedules), SCHEDULES_A_CARD):
        embed = discord.Embed(title=_("Schedules of this server"), colour=card_style.SAMPLE)
        for schedule in schedules[start : start + SCHEDULES_A_CARD]:
            name = None if schedule.model_id is None else model_names.get(schedule.model_id)
            embed.add_field(
                name=f"#{schedule.id} · {_when(schedule)}", value=_lines(schedule, name, names), inline=False
            )
        cards.append(embed)
    return cards


def notice(schedule: Schedule) -> discord.Embed:
    """What its channel is told when a schedule is paused."""
    embed = discord.Embed(
        title=_("A schedule is paused"),
        description=f"**{_when(schedule)}**\n{_reason(schedule, {})}",
        colour=card_style.CANCELLED,
    )
    embed.set_footer(
        text=_("Someone with Manage Server can fix this and then use /schedule resume (#{number}).").format(
            number=schedule.id
        )
    )
    return embed


def _when(schedule: Schedule) -> str:
    return f"{safe_text.safe(schedule.rule)} · {schedule.timezone}"


def _lines(schedule: Schedule, model_name: str | None, names: Mapping[int, str]) -> str:
    where = f"<#{schedule.channel_id}> · {_model(model_name)} · {_settings(schedule)}"
    if schedule.state is ScheduleState.PAUSED:
        paused = _("**Paused**")
        return f"{where}\n{paused} · {_reason(schedule, names)}"
    assert schedule.next_slot is not None  # noqa: S101 - the table's own rule
    coming = _("Next")
    return f"{where}\n{coming}: {_timestamp(schedule.next_slot)}"


def _timestamp(moment: datetime.datetime) -> str:
    """A moment on the reader's own clock, and how long it is until then."""
    return f"{discord.utils.format_dt(moment, 'F')} · {discord.utils.format_dt(moment, 'R')}"


def _model(name: str | None) -> str:
    return _("the server's default model") if name is None else safe_text.safe_within(name, 60)


def _settings(schedule: Schedule) -> str:
    parts = []
    if schedule.temperature is not None:
        parts.append(_("temperature {number}").format(number=card_style.decimal(schedule.temperature)))
    if schedule.length is not None:
        parts.append(_("length {length}").format(length=schedule.length))
    return ", ".join(parts) or _("the server's settings")


def _reason(schedule: Schedule, names: Mapping[int, str]) -> str:
    # Reasons are stored in English; those that are no model's own words are found in the catalogue.
    reason = retold(schedule.paused_reason)
    if schedule.paused_by is not None:
        name = names.get(schedule.paused_by) or f"<@{schedule.paused_by}>"
        reason = reason.replace("{name}", safe_text.person(name))
    return safe_text.shorten(reason, REASON_CHARACTERS)
