"""A guild and a person are found and deleted in every table, on every database."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from models import (
    Corpus,
    Database,
    JobState,
    TextModel,
    audit,
    guilds,
    personal_data,
    retention,
    text_models,
    training_jobs,
)
from tests.models.test_guild_wall import OURS, THEIRS, TheirThings
from tests.support.rows import new_corpus, new_job, new_model

ADA = 5
NOW = datetime.now(UTC)


def test_a_guild_is_deleted_and_another_stays(database: Database) -> None:
    TheirThings(database)
    with database.write() as session:
        corpus = new_corpus(session, OURS)
        model = new_model(session, OURS, corpus.id)
        new_job(session, OURS, corpus.id)
        guilds.edit(session, OURS, default_model_id=model.id)
        audit.record(session, OURS, ADA, "settings.changed", "length")
        before = personal_data.counts(session, THEIRS)
        personal_data.erase_guild(session, OURS)
    with database.read() as session:
        assert personal_data.rows(session, OURS) == {}
        assert personal_data.counts(session, THEIRS) == before
        assert personal_data.guild_ids(session) == {THEIRS}


def test_a_person_is_taken_out_of_one_guild(database: Database) -> None:
    TheirThings(database)
    with database.write() as session:
        corpus = new_corpus(session, OURS)
        new_model(session, OURS, corpus.id)
        job = new_job(session, OURS, corpus.id)
        audit.record(session, OURS, 9, "model.renamed", "Bard", people=[ADA, "5", 55], by={"id": ADA})
        cancelled = personal_data.forget_person(session, OURS, ADA, NOW)
        assert [each.id for each in cancelled] == [job.id]
    with database.read() as session:
        assert personal_data.rows(session, OURS, ADA) == {}
        assert personal_data.texts(session, OURS) == []
        assert audit.listing(session, OURS)[0].details == '{"people": [0, 0, 55], "by": {"id": 0}}'
        assert personal_data.counts(session, THEIRS, ADA)["corpus"] == 1
        gone = training_jobs.get(session, OURS, job.id)
        assert gone is not None
        assert (gone.state, gone.requested_by) == (JobState.CANCELLED, personal_data.DELETED_PERSON)


def test_models_that_went_on_from_one_learned_from_its_text_too(database: Database) -> None:
    with database.write() as session:
        corpus = new_corpus(session, OURS)
        others = new_corpus(session, OURS)
        others.uploaded_by = 9
        first = new_model(session, OURS, corpus.id, "First")
        second = new_model(session, OURS, others.id, "Second")
        new_model(session, OURS, others.id, "Third")
        for corpus_id, base, model in ((corpus.id, None, first), (others.id, first.id, second)):
            job = new_job(session, OURS, corpus_id)
            job.base_model_id = base
            training_jobs.start(session, OURS, job.id)
            training_jobs.finish(session, OURS, job.id, attempt=1, model_id=model.id, validation_loss=1.0)
            model.training_job_id = job.id
        guilds.edit(session, OURS, default_model_id=second.id)
        learned = personal_data.models_from(session, OURS, ADA)
        assert [model.name for model in learned] == ["First", "Second"]
        text_models.delete_many(session, OURS, [model.id for model in learned])
    with database.read() as session:
        assert session.scalars(sa.select(TextModel.name)).all() == ["Third"]
        assert guilds.settings_of(session, OURS).default_model_id is None


def test_texts_expire_after_the_last_training_that_used_them(database: Database) -> None:
    with database.write() as session:
        guilds.edit(session, OURS, keep_corpora_days=7)
        trained, never, waiting, checked = (new_corpus(session, OURS) for _ in range(4))
        kept = new_corpus(session, THEIRS)
        for corpus in (trained, never, waiting, checked, kept):
            corpus.created_at = NOW - timedelta(days=100)
        new_job(session, OURS, waiting.id)
        job = new_job(session, OURS, trained.id)
        job.validation_corpus_id = checked.id
        training_jobs.cancel(session, OURS, job.id)
        session.flush()
        assert [corpus.id for corpus in retention.expire_texts(session, NOW)] == [never.id]
        assert retention.expire_texts(session, NOW + timedelta(days=6)) == []
        later = retention.expire_texts(session, NOW + timedelta(days=8))
        assert {corpus.id for corpus in later} == {trained.id, checked.id}
        left = session.scalars(sa.select(Corpus.id).where(Corpus.text_deleted_at.is_(None)))
        assert set(left) == {waiting.id, kept.id}


def test_guilds_leave_and_come_back(database: Database) -> None:
    with database.write() as session:
        new_corpus(session, OURS)
        new_corpus(session, THEIRS)
        assert retention.presence_marks(session) == {OURS: False, THEIRS: False}
        guilds.edit(session, THEIRS, removed_at=NOW)
        assert retention.presence_marks(session) == {OURS: False, THEIRS: True}
        assert retention.left_before(session, NOW + timedelta(seconds=1)) == [THEIRS]
        guilds.edit(session, THEIRS, removed_at=None)
        assert retention.left_before(session, NOW + timedelta(days=99)) == []
