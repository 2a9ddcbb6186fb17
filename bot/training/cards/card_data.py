"""The data that cards of trainings show, from the database. Knows nothing of Discord."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.training.jobs import forecast
from models import (
    Corpus,
    JobState,
    TextModel,
    TrainingJob,
    corpora,
    guilds,
    queue_order,
    text_models,
    training_jobs,
)


@dataclass(frozen=True)
class Queue:
    """The queue: ids of jobs in order, and the expected wait of each in seconds."""

    order: list[str]
    waits_s: dict[str, float]

    def place(self, job: TrainingJob) -> int:
        """Return the queue position of a job, from 1; 0 if it is not queued."""
        return self.order.index(job.id) + 1 if job.id in self.order else 0


@dataclass(frozen=True)
class Belongings:
    """What a card shows besides its job."""

    corpus: Corpus | None
    model: TextModel | None
    base: TextModel | None
    queue: Queue
    hidden_words: str


def _queue(session: Session) -> tuple[list[TrainingJob], Queue]:
    waiting = queue_order.order(session)
    running = [job for job in training_jobs.unfinished(session) if job.state is JobState.TRAINING]
    return waiting, Queue([job.id for job in waiting], forecast.waits_s(running, waiting))


def belongings_of(session: Session, job: TrainingJob) -> Belongings:
    """Look up what the card of a job shows besides the job."""

    def model(model_id: int | None) -> TextModel | None:
        return None if model_id is None else text_models.get(session, job.guild_id, model_id)

    return Belongings(
        corpora.get(session, job.guild_id, job.corpus_id),
        model(job.model_id),
        model(job.base_model_id),
        _queue(session)[1],
        guilds.settings_of(session, job.guild_id).hidden_words,
    )


def to_show(
    session: Session, *, limit: int, without: list[int]
) -> tuple[list[TrainingJob], list[TrainingJob], Queue]:
    """Return the jobs that changed, the queued jobs, whose position may have changed, and the queue."""
    waiting, queue = _queue(session)
    return list(training_jobs.changed_cards(session, limit, without=without)), waiting, queue
