"""What one guild has, another cannot see, change or point to: a foreign id is answered like an absent one."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import (
    Database,
    JobState,
    TrainingJob,
    corpora,
    games,
    guilds,
    text_models,
    training_jobs,
    utc_now,
)
from tests.support.rows import new_corpus, new_job, new_model

OURS, THEIRS = 1 << 60, (1 << 60) + 1
ABSENT_ID = 999_999
ABSENT_JOB = "0" * 32


class TheirThings:
    """One of each, of the other guild; the job is in training."""

    def __init__(self, database: Database) -> None:
        with database.write() as session:
            self.corpus_id = new_corpus(session, THEIRS).id
            self.model_id = new_model(session, THEIRS, self.corpus_id).id
            self.job_id = new_job(session, THEIRS, self.corpus_id).id
            training_jobs.start(session, THEIRS, self.job_id)
            guilds.edit(session, THEIRS, length=77, default_model_id=self.model_id)


@pytest.fixture
def theirs(database: Database) -> TheirThings:
    return TheirThings(database)


def test_looking_finds_nothing(database: Database, theirs: TheirThings) -> None:
    with database.read() as session:
        assert corpora.get(session, THEIRS, theirs.corpus_id) is not None
        assert text_models.get(session, THEIRS, theirs.model_id) is not None
        assert training_jobs.get(session, THEIRS, theirs.job_id) is not None

        assert corpora.get(session, OURS, theirs.corpus_id) is None
        assert text_models.get(session, OURS, theirs.model_id) is None
        assert text_models.by_name(session, OURS, "Bard") is None
        assert text_models.names_starting(session, OURS, "") == []
        assert text_models.listing(session, OURS) == []
        assert training_jobs.get(session, OURS, theirs.job_id) is None
        assert training_jobs.listing(session, OURS) == []
        assert training_jobs.recent(session, OURS) == []
        assert training_jobs.asked_since(session, OURS, datetime.min.replace(tzinfo=UTC)) == []
        assert guilds.settings_of(session, OURS).length == 500
        assert guilds.settings_of(session, OURS).default_model_id is None


def test_a_round_of_the_game_is_seen_answered_and_ended_by_its_guild_alone(
    database: Database, theirs: TheirThings
) -> None:
    values = {"channel_id": 7, "started_by": 5, "is_real": True, "locale": "en"}
    values |= {"nats_per_word": 1.0, "expected_per_word": 1.0, "closes_at": utc_now()}
    with database.write() as session:
        theirs_id = games.begin(session, THEIRS, model_id=theirs.model_id, **values).id
        games.keep_score(session, THEIRS, 5, keep=True)
        games.answer(session, THEIRS, theirs_id, 5, says_real=True)
    with database.write() as session:
        assert games.get(session, OURS, theirs_id) is None
        assert not games.is_open_in(session, OURS, 7)
        assert games.playable(session, OURS) == []
        assert not games.may_be_quoted(session, OURS, theirs.corpus_id)
        assert not games.keeps_score(session, OURS, 5)
        assert games.tally(session, OURS, theirs_id) == games.Tally(0, 0)
        games.sent(session, OURS, theirs_id, 99)
        games.end(session, OURS, theirs_id)
        games.keep_score(session, OURS, 5, keep=False)
        assert games.scores(session, OURS, 9) == []
    with database.read() as session:
        known = games.get(session, THEIRS, theirs_id)
        assert known is not None
        assert known.message_id is None
        assert games.tally(session, THEIRS, theirs_id) == games.Tally(1, 0)
        assert games.keeps_score(session, THEIRS, 5)
    with pytest.raises(IntegrityError), database.write() as session:
        games.answer(session, OURS, theirs_id, 5, says_real=True)
    with pytest.raises(IntegrityError), database.write() as session:
        games.begin(session, OURS, model_id=theirs.model_id, **values)


@pytest.mark.parametrize(
    "move",
    [
        training_jobs.start,
        training_jobs.cancel,
        training_jobs.request_finish,
        lambda session, guild, job: training_jobs.progress(session, guild, job, attempt=1, fraction=0.5),
        lambda session, guild, job: training_jobs.fail(session, guild, job, attempt=1, error="x"),
        lambda session, guild, job: training_jobs.finish(
            session, guild, job, attempt=1, model_id=1, validation_loss=1.0
        ),
        lambda session, guild, job: training_jobs.card_shown(session, guild, job, 9, message_id=9),
    ],
)
def test_moving_a_job_does_nothing(
    database: Database, theirs: TheirThings, move: Callable[[Session, int, str], object]
) -> None:
    with database.write() as session:
        assert move(session, OURS, theirs.job_id) is None
        assert move(session, OURS, ABSENT_JOB) is None
    with database.read() as session:
        job = training_jobs.get(session, THEIRS, theirs.job_id)
        assert job is not None
        assert (job.state, job.fraction, job.error, job.message_id) == (JobState.TRAINING, 0.0, None, None)
        assert (job.revision, job.shown_revision) == (2, 0)


@pytest.mark.parametrize(
    "point",
    [
        lambda session, there: new_job(session, OURS, there.corpus_id),
        lambda session, there: new_model(session, OURS, there.corpus_id),
        lambda session, there: new_job(
            session, OURS, new_corpus(session, OURS).id, validation_corpus_id=there.corpus_id
        ),
        lambda session, there: new_job(
            session, OURS, new_corpus(session, OURS).id, base_model_id=there.model_id
        ),
        lambda session, there: guilds.edit(session, OURS, default_model_id=there.model_id),
    ],
)
def test_pointing_fails_as_to_an_absent_id(
    database: Database, theirs: TheirThings, point: Callable[[Session, TheirThings], object]
) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        point(session, theirs)
    theirs.corpus_id = theirs.model_id = ABSENT_ID
    with pytest.raises(IntegrityError), database.write() as session:
        point(session, theirs)


def test_finishing_with_their_model_fails(database: Database, theirs: TheirThings) -> None:
    with database.write() as session:
        ours = new_job(session, OURS, new_corpus(session, OURS).id)
        training_jobs.start(session, OURS, ours.id)
    for model_id in (theirs.model_id, ABSENT_ID):
        with pytest.raises(IntegrityError), database.write() as session:
            training_jobs.finish(session, OURS, ours.id, attempt=1, model_id=model_id, validation_loss=1.0)


def test_the_same_name_is_two_models(database: Database, theirs: TheirThings) -> None:
    with database.write() as session:
        ours = new_model(session, OURS, None)
        assert ours.id != theirs.model_id
    with database.read() as session:
        assert text_models.names_starting(session, OURS, "b") == ["Bard"]
        their = text_models.by_name(session, THEIRS, "bard")
        assert their is not None
        assert their.bundle_path == f"bundles/{THEIRS}/Bard"


def test_a_foreign_model_is_neither_renamed_counted_nor_deleted(database: Database) -> None:
    with database.write() as session:
        theirs = new_model(session, THEIRS, new_corpus(session, THEIRS).id)
        guilds.edit(session, THEIRS, default_model_id=theirs.id)
    with database.write() as session:
        for model_id in (theirs.id, ABSENT_ID):
            assert text_models.rename(session, OURS, model_id, "Mine") is None
            assert text_models.delete(session, OURS, model_id) is None
            assert text_models.with_corpus(session, OURS, model_id) == (None, None)
            text_models.count_generations(session, OURS, model_id, 5)
    with database.read() as session:
        found, corpus = text_models.with_corpus(session, THEIRS, theirs.id)
        assert found is not None
        assert corpus is not None
        assert (found.name, found.generations) == ("Bard", 0)
        assert guilds.settings_of(session, THEIRS).default_model_id == theirs.id


def test_a_deleted_model_is_let_go_of_by_all_that_named_it(database: Database) -> None:
    with database.write() as session:
        corpus = new_corpus(session, OURS)
        model, other = new_model(session, OURS, corpus.id), new_model(session, OURS, corpus.id, "Other")
        guilds.edit(session, OURS, default_model_id=model.id)
        job, kept = new_job(session, OURS, corpus.id), new_job(session, OURS, corpus.id)
        job.base_model_id, kept.base_model_id = model.id, other.id
        training_jobs.start(session, OURS, job.id)
        training_jobs.finish(session, OURS, job.id, attempt=1, model_id=model.id, validation_loss=1.0)
    with database.write() as session:
        assert text_models.delete(session, OURS, model.id) is not None
        assert text_models.delete(session, OURS, model.id) is None
    with database.read() as session:
        assert guilds.settings_of(session, OURS).default_model_id is None
        found = training_jobs.get(session, OURS, job.id)
        assert found is not None
        assert (found.model_id, found.base_model_id, found.state) == (None, None, JobState.DONE)
        assert session.get_one(TrainingJob, kept.id).base_model_id == other.id
