"""A post that is due, as the database has it: what it is made from, and how its row changes on the way.

Every function runs in one transaction. Knows nothing of Discord.
"""

import datetime
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.i18n import _
from models import (
    Corpus,
    GuildSettings,
    PostState,
    Schedule,
    ScheduledPost,
    ScheduleState,
    TextModel,
    guilds,
    scheduled_posts,
    schedules,
    text_models,
)

Slot = tuple[int, int, datetime.datetime]
"""Guild id, schedule id, and the time of the post (aware)."""


@dataclass(frozen=True)
class DuePost:
    """Everything that a post is made from; `model` is None if the guild has no model to write with."""

    post: ScheduledPost
    schedule: Schedule
    settings: GuildSettings
    model: TextModel | None
    corpus: Corpus | None

    @property
    def slot(self) -> Slot:
        """The key of the post's row."""
        return self.post.guild_id, self.post.schedule_id, self.post.slot

    @property
    def nonce(self) -> str:
        """The same text in every attempt, of up to 25 characters, so that Discord drops a second message."""
        return f"{self.post.schedule_id}-{self.post.slot.timestamp():.0f}"


def look_up(session: Session, slot: Slot) -> DuePost | None:
    """Return what a slot's post is made from; None if the slot has ended or its schedule is gone."""
    guild_id, schedule_id, _moment = slot
    post, schedule = scheduled_posts.get(session, *slot), schedules.get(session, guild_id, schedule_id)
    if post is None or schedule is None or post.state.is_final:
        return None
    settings = guilds.settings_of(session, guild_id)
    wanted = schedule.model_id or settings.default_model_id
    model, corpus = text_models.with_corpus(session, guild_id, wanted)
    return DuePost(post, schedule, settings, model, corpus)


def begin_sending(session: Session, slot: Slot, now: datetime.datetime) -> ScheduledPost | None:
    """Take the slot for sending; None if the schedule was paused or removed at the last moment."""
    guild_id, schedule_id, _moment = slot
    schedule = schedules.get(session, guild_id, schedule_id)
    post = scheduled_posts.get(session, *slot)
    if schedule is None or post is None:
        return None
    if post.requested_by is None and schedule.state is not ScheduleState.ACTIVE:
        scheduled_posts.end(session, *slot, state=PostState.MISSED, error=_("The schedule was paused."))
        return None
    return scheduled_posts.begin_sending(session, *slot, now=now)


def record_sent(session: Session, slot: Slot, message_id: int, model_id: int | None) -> None:
    """Record the message of a slot, and count the text for the model that wrote it."""
    scheduled_posts.sent(session, *slot, message_id=message_id)
    if model_id is not None:
        text_models.count_generations(session, slot[0], model_id, 1)
