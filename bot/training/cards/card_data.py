"""The data that cards of trainings show, from the database. Knows nothing of Discord."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.training.jobs import forecast
from models import (
    EVERY_GUILD,
    Corpus,
    GuildSettings,
    JobState,
    ServedShards,
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
    settings: GuildSettings


@dataclass(frozen=True)
class Look:
    """What all cards need of the database at a moment, from one look.

    Attributes:
        changed: jobs whose card is out of date.
        waiting: the queued jobs of the served servers, whose position may have changed.
        unfinished: ids of all queued and running jobs.
        queue: the queue of all servers.
    """

    changed: list[TrainingJob]
    waiting: list[TrainingJob]
    unfinished: frozenset[str]
    queue: Queue


def _queue(session: Session) -> tuple[Sequence[TrainingJob], list[TrainingJob], Queue]:
    unfinished = training_jobs.unfinished(session)
    waiting = queue_order.order(session, unfinished)
    running = [job for job in unfinished if job.state is JobState.TRAINING]
    return unfinished, waiting, Queue([job.id for job in waiting], forecast.waits_s(running, waiting))


def belongings_of(session: Session, job: TrainingJob, queue: Queue | None = None) -> Belongings:
    """Look up what the card of a job shows besides the job.

    Args:
        session: an open SQLAlchemy session.
        job: the job.
        queue: the queue, from a look for many cards; None looks at it anew.
    """

    def model(model_id: int | None) -> TextModel | None:
        return None if model_id is None else text_models.get(session, job.guild_id, model_id)

    return Belongings(
        corpora.get(session, job.guild_id, job.corpus_id),
        model(job.model_id),
        model(job.base_model_id),
        queue or _queue(session)[2],
        guilds.settings_of(session, job.guild_id),
    )


def to_show(session: Session, *, limit: int, without: list[int], served: ServedShards = EVERY_GUILD) -> Look:
    """Return what the cards of the served servers need.

    Args:
        session: an open SQLAlchemy session.
        limit: the most jobs in `changed`.
        without: Discord ids of channels whose jobs are left out of `changed`.
        served: the servers to look at.
    """
    unfinished, waiting, queue = _queue(session)
    return Look(
        list(training_jobs.changed_cards(session, limit, without=without, served=served)),
        [job for job in waiting if served.owns(job.guild_id)],
        frozenset(job.id for job in unfinished),
        queue,
    )
