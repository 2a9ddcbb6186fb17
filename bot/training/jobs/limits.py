"""The limits of trainings: per server at a time and per day, per person at a time."""

import datetime

import discord
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.i18n import _, ngettext
from models import guilds, training_jobs

DAY = datetime.timedelta(hours=24)


def require_room(session: Session, guild_id: int, user_id: int, *, most_at_a_time: int) -> None:
    """Check the limits before one more training.

    Args:
        session: an open SQLAlchemy session; that of the transaction that will insert the training, or an
            earlier one.
        guild_id: Discord id of the guild that will own the training.
        user_id: Discord id of the person who asks.
        most_at_a_time: the host's limit of unfinished trainings of a server, 1 or more.

    Raises:
        UserError: a limit is reached; the text says what was counted.
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
        # When this training is older than a day, one more fits.
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
