"""A schedule is confirmed once, moves on once a slot, and lets go of a model that is deleted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import (
    Database,
    PostState,
    Schedule,
    ScheduledPost,
    ScheduleState,
    scheduled_posts,
    schedules,
    text_models,
)
from tests.support.rows import new_model

OURS, THEIRS = 1 << 60, (1 << 60) + 1
SLOT = datetime(2027, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def new_draft(
    session: Session, guild_id: int = OURS, *, by: int = 5, model_id: int | None = None
) -> Schedule:
    return schedules.add_draft(
        session,
        guild_id,
        channel_id=7,
        created_by=by,
        rule="daily 09:00",
        timezone="UTC",
        anchor=SLOT - DAY,
        model_id=model_id,
    )


def new_schedule(session: Session, guild_id: int = OURS, *, model_id: int | None = None) -> Schedule:
    draft = new_draft(session, guild_id, model_id=model_id)
    schedule = schedules.confirm(session, guild_id, draft.id, next_slot=SLOT)
    assert schedule is not None
    return schedule


def new_post(session: Session, schedule: Schedule, slot: datetime = SLOT) -> ScheduledPost | None:
    return scheduled_posts.add(
        session, schedule.guild_id, schedule.id, slot, random_seed=1, expires_at=slot + DAY / 4
    )


def test_a_draft_is_no_schedule_until_it_is_confirmed(database: Database) -> None:
    with database.write() as session:
        draft = new_draft(session)
        assert schedules.get(session, OURS, draft.id) is None
        assert schedules.listing(session, OURS) == []
        assert schedules.due(session, SLOT + DAY) == []
        assert schedules.confirm(session, OURS, draft.id, next_slot=SLOT) is not None
        assert schedules.confirm(session, OURS, draft.id, next_slot=SLOT) is None
        assert [each.id for each in schedules.listing(session, OURS)] == [draft.id]


def test_a_newer_draft_replaces_ones_own_and_everybodys_old_ones(database: Database) -> None:
    with database.write() as session:
        mine, others, old = new_draft(session, by=5), new_draft(session, by=6), new_draft(session, by=7)
        old.created_at = SLOT - timedelta(days=400)
        session.flush()
        new_draft(session, by=5)
        left = [schedules.draft(session, OURS, each) is not None for each in (mine.id, others.id, old.id)]
    assert left == [False, True, False]


def test_only_an_active_schedule_waits_for_a_slot(database: Database) -> None:
    with database.write() as session:
        schedule_id = new_schedule(session).id
        assert schedules.resume(session, OURS, schedule_id, by=6, next_slot=SLOT) is None
        paused = schedules.pause(session, OURS, schedule_id, reason="why", notice=True)
        assert paused is not None
        assert (paused.state, paused.next_slot, paused.paused_reason) == (ScheduleState.PAUSED, None, "why")
        assert schedules.pause(session, OURS, schedule_id, reason="again") is None
        assert schedules.due(session, SLOT + DAY) == []
        assert [each.id for each in schedules.to_tell(session)] == [schedule_id]
        assert schedules.told(session, OURS, schedule_id) is not None
        assert schedules.told(session, OURS, schedule_id) is None
        resumed = schedules.resume(session, OURS, schedule_id, by=6, next_slot=SLOT + DAY)
        assert resumed is not None
        assert (resumed.created_by, resumed.paused_reason) == (6, "")
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(sa.text("UPDATE schedule SET next_slot = NULL"))


def test_of_those_who_find_a_slot_at_once_one_takes_it(database: Database) -> None:
    with database.write() as session:
        schedule = new_schedule(session)
    together = Barrier(5)

    def take(_: int) -> bool:
        together.wait()
        with database.write() as session:
            moved = schedules.advance(session, OURS, schedule.id, expected=SLOT, next_slot=SLOT + DAY)
            return moved is not None and new_post(session, schedule) is not None

    with ThreadPoolExecutor(5) as threads:
        assert sorted(threads.map(take, range(5))) == [False] * 4 + [True]


def test_a_slot_has_one_row_and_one_sender(database: Database) -> None:
    with database.write() as session:
        schedule = new_schedule(session)
        assert new_post(session, schedule) is not None
        assert new_post(session, schedule) is None
        slot = (OURS, schedule.id, SLOT)
        assert scheduled_posts.begin_sending(session, *slot, now=SLOT) is not None
        assert scheduled_posts.begin_sending(session, *slot, now=SLOT) is None
        assert scheduled_posts.not_sent(session, *slot) is not None
        assert scheduled_posts.begin_sending(session, *slot, now=SLOT) is not None
        assert [post.slot for post in scheduled_posts.under_way(session)] == [SLOT]
        sent = scheduled_posts.sent(session, *slot, message_id=99)
        assert sent is not None
        assert (sent.state, sent.message_id) == (PostState.SENT, 99)
        assert scheduled_posts.end(session, *slot, state=PostState.FAILED, error="late") is None
        assert scheduled_posts.under_way(session) == []
        scheduled_posts.forget(session, OURS, schedule.id, before=SLOT + DAY)
        assert scheduled_posts.get(session, *slot) is None


def test_a_deleted_model_pauses_what_posts_from_it(database: Database) -> None:
    with database.write() as session:
        model_id = new_model(session, OURS).id
        theirs = new_schedule(session, THEIRS, model_id=new_model(session, THEIRS).id)
        active, paused = new_schedule(session, model_id=model_id), new_schedule(session, model_id=model_id)
        other, draft = new_schedule(session), new_draft(session, model_id=model_id)
        schedules.pause(session, OURS, paused.id, reason="by hand")
        schedules.pause_for_model(session, OURS, model_id, "Its model was deleted.")
        model = text_models.get(session, OURS, model_id)
        session.delete(model)
    with database.read() as session:
        listing = {each.id: each for each in schedules.listing(session, OURS)}
        assert set(listing) == {active.id, paused.id, other.id}
        assert schedules.draft(session, OURS, draft.id) is None
        assert (
            listing[active.id].paused_reason == listing[paused.id].paused_reason == "Its model was deleted."
        )
        assert [each.id for each in schedules.to_tell(session)] == [active.id]
        assert listing[other.id].state is ScheduleState.ACTIVE
        their = schedules.get(session, THEIRS, theirs.id)
        assert their is not None
        assert their.state is ScheduleState.ACTIVE


def test_all_of_a_guild_pauses_or_goes_and_nothing_of_another(database: Database) -> None:
    with database.write() as session:
        for guild_id in (OURS, THEIRS):
            new_post(session, new_schedule(session, guild_id))
            new_draft(session, guild_id)
        schedules.pause_all(session, OURS, "left")
    with database.write() as session:
        (ours,) = schedules.listing(session, OURS)
        assert ours.state is ScheduleState.PAUSED
        assert schedules.remove(session, OURS, ours.id) is not None
    with database.read() as session:
        assert schedules.listing(session, OURS) == []
        (theirs,) = schedules.listing(session, THEIRS)
        assert theirs.state is ScheduleState.ACTIVE
        assert [post.guild_id for post in scheduled_posts.under_way(session)] == [THEIRS]


MOVES: list[Callable[[Session, int, int], object]] = [
    schedules.get,
    schedules.draft,
    schedules.discard,
    schedules.remove,
    schedules.told,
    lambda session, guild, each: schedules.confirm(session, guild, each, next_slot=SLOT),
    lambda session, guild, each: schedules.pause(session, guild, each, reason="x"),
    lambda session, guild, each: schedules.resume(session, guild, each, by=6, next_slot=SLOT),
    lambda session, guild, each: schedules.advance(session, guild, each, expected=SLOT, next_slot=SLOT + DAY),
    lambda session, guild, each: scheduled_posts.get(session, guild, each, SLOT),
    lambda session, guild, each: scheduled_posts.begin_sending(session, guild, each, SLOT, now=SLOT),
    lambda session, guild, each: scheduled_posts.sent(session, guild, each, SLOT, message_id=1),
    lambda session, guild, each: scheduled_posts.not_sent(session, guild, each, SLOT),
    lambda session, guild, each: scheduled_posts.end(
        session, guild, each, SLOT, state=PostState.FAILED, error="x"
    ),
    lambda session, guild, each: scheduled_posts.forget(session, guild, each, before=SLOT + 9 * DAY),
]


@pytest.mark.parametrize("number", range(len(MOVES)))
def test_a_foreign_schedule_is_as_absent_as_one_that_is_not(database: Database, number: int) -> None:
    with database.write() as session:
        theirs = new_schedule(session, THEIRS)
        new_post(session, theirs)
        draft = new_draft(session, THEIRS)
    with database.write() as session:
        for schedule_id in (theirs.id, draft.id, 999_999):
            assert MOVES[number](session, OURS, schedule_id) is None
        assert scheduled_posts.listing(session, OURS, theirs.id) == []
    with database.read() as session:
        now = schedules.get(session, THEIRS, theirs.id)
        assert now is not None
        assert (now.state, now.next_slot) == (ScheduleState.ACTIVE, SLOT)
        assert schedules.draft(session, THEIRS, draft.id) is not None
        (post,) = scheduled_posts.listing(session, THEIRS, theirs.id)
        assert post.state is PostState.DUE


def test_pointing_at_a_foreign_row_fails_as_to_an_absent_one(database: Database) -> None:
    with database.write() as session:
        theirs, model_id = new_schedule(session, THEIRS), new_model(session, THEIRS).id
    for wrong in (model_id, 999_999):
        with pytest.raises(IntegrityError), database.write() as session:
            new_draft(session, OURS, model_id=wrong)
    for wrong in (theirs.id, 999_999):
        with pytest.raises(IntegrityError), database.write() as session:
            scheduled_posts.add(session, OURS, wrong, SLOT, random_seed=1, expires_at=SLOT)
