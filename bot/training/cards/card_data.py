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
    """The queue of all servers.

    Attributes:
        running: the jobs that run now, the oldest first.
        waiting: the queued jobs, in the order in which they will run.
        places: position of each queued job, by job id; 1 is next.
        waits_s: expected wait of each queued job, in seconds by job id.
    """

    running: list[TrainingJob]
    waiting: list[TrainingJob]
    places: dict[str, int]
    waits_s: dict[str, float]


@dataclass(frozen=True)
class Belongings:
    """What a card shows besides its job."""

    corpus: Corpus | None
    model: TextModel | None
    base: TextModel | None
    queue: Queue
    settings: GuildSettings


def queue_of_all(session: Session) -> Queue:
    """Return the queue as it is now, for the bot itself."""
    unfinished = training_jobs.unfinished(session)
    running = [job for job in unfinished if job.state is JobState.TRAINING]
    waiting = queue_order.order(session, unfinished)
    places = {job.id: place for place, job in enumerate(waiting, start=1)}
    return Queue(running, waiting, places, forecast.waits_s(running, waiting))


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
        queue or queue_of_all(session),
        guilds.settings_of(session, job.guild_id),
    )


def to_show(
    session: Session, *, limit: int, without: list[int], served: ServedShards = EVERY_GUILD
) -> tuple[Sequence[TrainingJob], Queue]:
    """Return the jobs whose card is out of date, and the queue, from one look.

    Args:
        session: an open SQLAlchemy session.
        limit: the most jobs whose card is out of date.
        without: Discord ids of channels whose jobs are left out of these.
        served: the servers of these jobs.
    """
    return (
        training_jobs.changed_cards(session, limit, without=without, served=served),
        queue_of_all(session),
    )
