"""How many trainings may be asked for: by a server at a time and a day, by a person at a time."""

import datetime

import discord
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.i18n import _, ngettext
from models import guilds, training_jobs

DAY = datetime.timedelta(hours=24)


def require_room(session: Session, guild_id: int, user_id: int, *, most_at_a_time: int) -> None:
    """Refuse one training too many, and say what was counted.

    Args:
        session: the transaction that will record the training, or an earlier look.
        guild_id: where it is asked for.
        user_id: who asks.
        most_at_a_time: the host's limit for one server.

    Raises:
        UserError: a limit is reached.
    """
    unfinished = training_jobs.listing(session, guild_id)
    if len(unfinished) >= most_at_a_time:
        raise UserError(
            ngettext(
                "This server already has {count} training queued or running, and the limit is {limit}. "
                "Wait for it, or cancel it.",
                "This server already has {count} trainings queued or running, and the limit is {limit}. "
                "Wait for one, or cancel one.",
                len(unfinished),
            ).format(count=len(unfinished), limit=most_at_a_time)
        )
    settings = guilds.settings_of(session, guild_id)
    if not (settings.trainings_a_day and settings.trainings_a_person):
        raise UserError(_("This server allows no trainings: the limit in its settings is 0."))
    own = sum(job.requested_by == user_id for job in unfinished)
    if own >= settings.trainings_a_person:
        raise UserError(
            ngettext(
                "You already have {count} training queued or running here, and the limit for one person "
                "is {limit}.",
                "You already have {count} trainings queued or running here, and the limit for one person "
                "is {limit}.",
                own,
            ).format(count=own, limit=settings.trainings_a_person)
        )
    asked = training_jobs.asked_since(session, guild_id, datetime.datetime.now(datetime.UTC) - DAY)
    if len(asked) >= settings.trainings_a_day:
        # The newest of those that must grow old before one more fits.
        free_at = asked[len(asked) - settings.trainings_a_day] + DAY
        raise UserError(
            ngettext(
                "This server had {count} training in the last 24 hours, and the limit is {limit}. "
                "The next one is possible {when}.",
                "This server had {count} trainings in the last 24 hours, and the limit is {limit}. "
                "The next one is possible {when}.",
                len(asked),
            ).format(
                count=len(asked), limit=settings.trainings_a_day, when=discord.utils.format_dt(free_at, "R")
            )
        )
