"""Rows for tests: a corpus, a training or a model of a guild.

A test names only the values that it is about.
"""

import datetime
from typing import Any

from sqlalchemy.orm import Session

from models import Corpus, TextModel, TrainingJob, corpora, text_models, training_jobs

PERSON = 5
"""The Discord id of who uploads and asks, unless a test names somebody else."""


def new_corpus(session: Session, guild_id: int, text: str = "", **values: Any) -> Corpus:
    """Record an uploaded text; its figures are those of `text`, if there is one."""
    figures = {"characters": 1000, "lines": 10, "symbols": 30}
    if text:
        figures = {"characters": len(text), "lines": text.count("\n"), "symbols": len(set(text))}
    row = {
        "sha256": "ab" * 32,
        "filename": "hamlet.txt",
        "path": "hamlet.txt",
        "uploaded_by": PERSON,
        "rights_confirmed_at": datetime.datetime.now(datetime.UTC),
    }
    return corpora.add(session, guild_id, **(row | figures | values))


def new_job(session: Session, guild_id: int, corpus_id: int | None = None, **values: Any) -> TrainingJob:
    """Queue a training of a corpus, or of a new one."""
    row = {"channel_id": 7, "requested_by": PERSON, "model_name": "Bard", "minutes": 2}
    if corpus_id is None:
        corpus_id = new_corpus(session, guild_id).id
    return training_jobs.enqueue(session, guild_id, corpus_id=corpus_id, **(row | values))


def publish(
    session: Session, guild_id: int, name: str = "Bard", bundle_path: str = "b", **values: Any
) -> tuple[TextModel, str | None]:
    """Publish a bundle as the guild's model of a name; return also the bundle path that it replaces."""
    row = {
        "corpus_id": None,
        "training_job_id": None,
        "level": "char",
        "cell": "linear",
        "parameters": 1000,
        "vocabulary": 30,
        "characters": 1000,
        "validation_loss": 1.5,
        "created_by": PERSON,
    }
    return text_models.publish(session, guild_id, name=name, bundle_path=bundle_path, **(row | values))


def new_model(
    session: Session, guild_id: int, corpus_id: int | None = None, name: str = "Bard", **values: Any
) -> TextModel:
    """Publish a bundle as a new model of the guild."""
    return publish(session, guild_id, name, f"bundles/{guild_id}/{name}", corpus_id=corpus_id, **values)[0]
