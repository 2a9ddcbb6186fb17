"""A job goes from queued to training to one end, whoever is late; its card learns of every step."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from models import (
    Database,
    InvalidNameError,
    JobState,
    TrainingJob,
    corpora,
    guilds,
    queue_order,
    training_jobs,
)
from tests.support.rows import new_corpus, new_job, new_model

GUILD = 1


@pytest.fixture
def job_id(database: Database) -> str:
    with database.write() as session:
        return new_job(session, GUILD, new_corpus(session, GUILD).id).id


def attempt_of(session: Session, job_id: str) -> int:
    job = training_jobs.get(session, GUILD, job_id)
    assert job is not None
    return job.attempt


Move = Callable[[Session, str], TrainingJob | None]
MOVES: dict[str, Move] = {
    "start": lambda session, job: training_jobs.start(session, GUILD, job),
    "progress": lambda session, job: training_jobs.progress(
        session, GUILD, job, attempt=1, fraction=0.5, sample="late"
    ),
    "finish": lambda session, job: training_jobs.finish(
        session, GUILD, job, attempt=1, model_id=new_model(session, GUILD).id, validation_loss=1.4
    ),
    "fail": lambda session, job: training_jobs.fail(
        session, GUILD, job, attempt=attempt_of(session, job), error="no memory"
    ),
    "cancel": lambda session, job: training_jobs.cancel(session, GUILD, job),
}


def state(database: Database, job_id: str) -> JobState:
    with database.read() as session:
        job = training_jobs.get(session, GUILD, job_id)
        assert job is not None
        return job.state


def test_a_training_from_request_to_model(database: Database, job_id: str) -> None:
    with database.write() as session:
        queued = training_jobs.get(session, GUILD, job_id)
        assert queued is not None
        assert (queued.state, queued.revision, queued.started_at) == (JobState.QUEUED, 1, None)
        started = training_jobs.start(session, GUILD, job_id)
        assert started is not None
        assert (started.state, started.revision) == (JobState.TRAINING, 2)
    with database.write() as session:
        training_jobs.progress(session, GUILD, job_id, attempt=1, fraction=0.25, loss=2.5, eta_s=30.0)
        running = training_jobs.progress(session, GUILD, job_id, attempt=1, sample="To be")
        assert running is not None
        assert (running.fraction, running.loss, running.eta_s, running.sample) == (0.25, 2.5, 30.0, "To be")
        assert running.revision == 4
    with database.write() as session:
        model_id = new_model(session, GUILD).id
        done = training_jobs.finish(session, GUILD, job_id, attempt=1, model_id=model_id, validation_loss=1.4)
        assert done is not None
    assert (done.state, done.fraction, done.eta_s, done.validation_loss) == (JobState.DONE, 1.0, None, 1.4)
    assert done.model_id == model_id
    assert done.started_at is not None
    assert done.finished_at is not None
    assert done.created_at <= done.started_at <= done.finished_at <= datetime.now(UTC)


def test_a_training_is_begun_once(database: Database, job_id: str) -> None:
    with database.write() as session:
        assert training_jobs.start(session, GUILD, job_id, "turn-1") is not None
    with database.write() as session:
        assert training_jobs.start(session, GUILD, job_id, "turn-2") is None


def test_only_the_latest_attempt_may_write(database: Database, job_id: str) -> None:
    with database.write() as session:
        first = queue_order.take(session, "turn-1")
        assert first is not None
        assert (first.id, first.attempt, first.revision) == (job_id, 1, 2)
    with database.write() as session:
        assert queue_order.take(session, "turn-2") is None
        again = queue_order.take(session, "turn-1")
        assert again is not None
        assert (again.id, again.attempt, again.revision) == (job_id, 2, 3)
        assert again.started_at == first.started_at
    for late in (
        lambda session: training_jobs.progress(session, GUILD, job_id, attempt=1, fraction=0.9),
        lambda session: training_jobs.fail(session, GUILD, job_id, attempt=1, error="late"),
        lambda session: training_jobs.finish(
            session, GUILD, job_id, attempt=1, model_id=new_model(session, GUILD).id, validation_loss=1.0
        ),
    ):
        with database.write() as session:
            assert late(session) is None
    with database.write() as session:
        going_on = training_jobs.progress(session, GUILD, job_id, attempt=2, fraction=0.5)
        assert going_on is not None
        assert (going_on.state, going_on.fraction, going_on.error) == (JobState.TRAINING, 0.5, None)
        training_jobs.cancel(session, GUILD, job_id)
        assert queue_order.take(session, "turn-1") is None


def test_a_finish_is_asked_of_a_running_training_only(database: Database, job_id: str) -> None:
    with database.write() as session:
        assert training_jobs.request_finish(session, GUILD, job_id) is None
        training_jobs.start(session, GUILD, job_id)
        asked = training_jobs.request_finish(session, GUILD, job_id)
        assert asked is not None
        assert asked.finish_requested
        training_jobs.fail(session, GUILD, job_id, attempt=1, error="no memory")
        assert training_jobs.request_finish(session, GUILD, job_id) is None


def test_trainings_of_a_day_are_those_that_were_not_called_off_before_they_began(database: Database) -> None:
    with database.write() as session:
        corpus_id = new_corpus(session, GUILD).id
        jobs = [new_job(session, GUILD, corpus_id, model_name=f"m{number}") for number in range(4)]
        training_jobs.cancel(session, GUILD, jobs[0].id)
        for job in jobs[1:3]:
            training_jobs.start(session, GUILD, job.id)
        training_jobs.cancel(session, GUILD, jobs[1].id)
        training_jobs.fail(session, GUILD, jobs[2].id, attempt=1, error="no memory")
        an_hour_ago = jobs[0].created_at - timedelta(hours=1)
        assert training_jobs.asked_since(session, GUILD, an_hour_ago) == [job.created_at for job in jobs[1:]]
        assert training_jobs.asked_since(session, GUILD, jobs[2].created_at) == [jobs[3].created_at]
        assert training_jobs.asked_since(session, GUILD + 1, an_hour_ago) == []
        assert [job.id for job in training_jobs.recent(session, GUILD)] == [
            job.id for job in (jobs[2], jobs[1], jobs[0])
        ]


@pytest.mark.parametrize("late", MOVES)
@pytest.mark.parametrize("end", ["finish", "fail", "cancel"])
def test_the_end_is_final(database: Database, job_id: str, end: str, late: str) -> None:
    with database.write() as session:
        MOVES["start"](session, job_id)
        ended = MOVES[end](session, job_id)
        assert ended is not None
        assert ended.state.is_final
        before = (ended.state, ended.revision, ended.sample, ended.error, ended.finished_at)
    with database.write() as session:
        assert MOVES[late](session, job_id) is None
    with database.read() as session:
        after = training_jobs.get(session, GUILD, job_id)
        assert after is not None
        assert (after.state, after.revision, after.sample, after.error, after.finished_at) == before


@pytest.mark.parametrize(
    ("move", "becomes"),
    [
        ("start", JobState.TRAINING),
        ("progress", JobState.QUEUED),
        ("finish", JobState.QUEUED),
        ("fail", JobState.FAILED),
        ("cancel", JobState.CANCELLED),
    ],
)
def test_what_a_queued_job_can_become(database: Database, job_id: str, move: str, becomes: JobState) -> None:
    with database.write() as session:
        assert (MOVES[move](session, job_id) is None) == (becomes is JobState.QUEUED)
    assert state(database, job_id) is becomes


def test_of_those_who_end_a_job_at_once_one_succeeds(database: Database, job_id: str) -> None:
    with database.write() as session:
        MOVES["start"](session, job_id)
    ways = [MOVES["fail"], MOVES["cancel"]] * 4
    together = Barrier(len(ways))

    def end(way: Move) -> JobState | None:
        together.wait()
        with database.write() as session:
            job = way(session, job_id)
            return None if job is None else job.state

    with ThreadPoolExecutor(len(ways)) as threads:
        (won,) = [ended for ended in threads.map(end, ways) if ended]
    assert state(database, job_id) is won


@pytest.mark.parametrize("guild_has_a_row", [True, False])
def test_of_two_that_count_at_once_the_second_sees_what_the_first_added(
    database: Database, guild_has_a_row: bool
) -> None:
    together = Barrier(2)
    if guild_has_a_row:
        with database.write() as session:
            guilds.edit(session, GUILD, length=100)

    def add_unless_there_is_one(_number: int) -> int:
        together.wait()
        with database.write() as session:
            guilds.lock(session, GUILD)
            counted = len(training_jobs.listing(session, GUILD))
            if counted == 0:
                corpus = new_corpus(session, GUILD)
                new_job(session, GUILD, corpus.id)
                time.sleep(0.2)
            return counted

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(add_unless_there_is_one, range(2))) == [0, 1]


def test_the_queue_holds_those_that_wait_in_their_order(database: Database) -> None:
    with database.write() as session:
        corpus_id = new_corpus(session, GUILD).id
        jobs = [new_job(session, GUILD, corpus_id, model_name=f"m{number}") for number in range(4)]
        assert [job.id for job in queue_order.order(session)] == [job.id for job in jobs]
        assert [job.id for job in training_jobs.unfinished(session)] == [job.id for job in jobs]
        training_jobs.start(session, GUILD, jobs[0].id)
        training_jobs.cancel(session, GUILD, jobs[2].id)
        assert [job.id for job in queue_order.order(session)] == [jobs[1].id, jobs[3].id]
        left = [jobs[0].id, jobs[1].id, jobs[3].id]
        assert [job.id for job in training_jobs.unfinished(session)] == left
        assert [job.id for job in training_jobs.listing(session, GUILD)] == left


def test_a_card_is_out_of_date_until_it_shows_the_last_step(database: Database, job_id: str) -> None:
    with database.write() as session:
        (job,) = training_jobs.changed_cards(session)
        training_jobs.card_shown(session, GUILD, job_id, job.revision, message_id=99)
        assert training_jobs.changed_cards(session) == []
        training_jobs.start(session, GUILD, job_id)
    with database.write() as session:
        (job,) = training_jobs.changed_cards(session)
        assert job.message_id == 99
        edited_to = job.revision
        training_jobs.progress(session, GUILD, job_id, attempt=1, fraction=0.5)
        training_jobs.card_shown(session, GUILD, job_id, edited_to)
    with database.write() as session:
        (job,) = training_jobs.changed_cards(session)
        assert (job.revision, job.shown_revision, job.message_id) == (3, 2, 99)
        training_jobs.card_shown(session, GUILD, job_id, 3)
        training_jobs.card_shown(session, GUILD, job_id, 1)
        assert training_jobs.changed_cards(session) == [], "an old card sent late does not count"


def test_impossible_jobs_are_refused(database: Database, job_id: str) -> None:
    with database.read() as session:
        job = training_jobs.get(session, GUILD, job_id)
        assert job is not None
    with pytest.raises(InvalidNameError), database.write() as session:
        new_job(session, GUILD, job.corpus_id, model_name=" ")
    with pytest.raises(IntegrityError), database.write() as session:
        new_job(session, GUILD, job.corpus_id, minutes=0)
    with pytest.raises(IntegrityError), database.write() as session:
        new_job(session, GUILD, 999_999)
    with database.write() as session:
        training_jobs.start(session, GUILD, job_id)
    with pytest.raises(IntegrityError), database.write() as session:
        training_jobs.progress(session, GUILD, job_id, attempt=1, fraction=1.5)
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(sa.text("UPDATE training_job SET state = 'lost'"))
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(sa.text("DELETE FROM corpus"))
    assert state(database, job_id) is JobState.TRAINING


def test_a_time_is_a_moment_whatever_zone_it_came_in(database: Database) -> None:
    moment = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as session:
        corpus = new_corpus(session, GUILD)
        corpus.rights_confirmed_at = moment
    with database.read() as session:
        stored = corpora.get(session, GUILD, corpus.id)
        assert stored is not None
        assert stored.rights_confirmed_at == moment
        assert stored.rights_confirmed_at.tzinfo is UTC
    with pytest.raises(StatementError, match="has no time zone"), database.write() as session:
        new_corpus(session, GUILD).rights_confirmed_at = datetime(2026, 1, 1)  # noqa: DTZ001
