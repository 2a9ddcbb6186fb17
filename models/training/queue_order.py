"""The fair queue: the order in which the trainings of all guilds run.

Guilds take turns, and a guild's own jobs run in the order in which it asked. A guild whose training has just
ended goes to the end of the line, behind every guild that waits by then. So between two trainings of one
guild, each other guild that waits has one, and no guild overtakes another one twice. The order depends only
on the table: it is the same after a restart, for the worker and for the cards that show queue positions.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.changes import change_row
from models.tables import JobState, TrainingJob, utc_now
from models.training import training_jobs

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def in_turn(unfinished: Sequence[TrainingJob], last_ended: Mapping[int, datetime]) -> list[TrainingJob]:
    """Return the queued jobs in the order in which they will run.

    Args:
        unfinished: every guild's queued and running jobs, the oldest first.
        last_ended: when the last training of a guild ended, by guild id.
    """
    running: dict[int, datetime] = {}
    waiting: dict[int, list[TrainingJob]] = defaultdict(list)
    for job in unfinished:
        if job.state is JobState.QUEUED:
            waiting[job.guild_id].append(job)
        else:
            begun = job.started_at or job.created_at
            running[job.guild_id] = max(begun, running.get(job.guild_id, begun))

    def place_in_line(guild_id: int) -> tuple[bool, datetime, str]:
        first = waiting[guild_id][0]
        if guild_id in running:
            return True, running[guild_id], first.id
        return False, max(first.created_at, last_ended.get(guild_id, _LONG_AGO)), first.id

    line = sorted(waiting, key=place_in_line)
    rounds = max(map(len, waiting.values()), default=0)
    return [waiting[guild][turn] for turn in range(rounds) for guild in line if turn < len(waiting[guild])]


def order(session: Session, unfinished: Sequence[TrainingJob] | None = None) -> list[TrainingJob]:
    """Return every guild's queued jobs, the next one first, for the bot itself.

    Args:
        session: an open SQLAlchemy session.
        unfinished: what `training_jobs.unfinished` returned in this transaction, if it was asked already.
    """
    if unfinished is None:
        unfinished = training_jobs.unfinished(session)
    guilds = {job.guild_id for job in unfinished if job.state is JobState.QUEUED}
    if not guilds:
        return []
    ended = (
        sa.select(TrainingJob.guild_id, sa.func.max(TrainingJob.finished_at))
        .where(TrainingJob.guild_id.in_(guilds), TrainingJob.started_at.is_not(None))
        .group_by(TrainingJob.guild_id)
    )
    return in_turn(unfinished, {guild: time for guild, time in session.execute(ended) if time is not None})


def take(session: Session, turn_id: str) -> TrainingJob | None:
    """Begin the next job, or a new attempt of the job that this turn began before, for the bot itself.

    Args:
        session: an open SQLAlchemy session that may write.
        turn_id: id of the workflow that will train it, up to 36 characters.

    Returns:
        The job, now running; None if the queue is empty.
    """
    begun = _begin_again(session, turn_id)
    if begun is not None:
        return begun
    for job in order(session):
        started = training_jobs.start(session, job.guild_id, job.id, turn_id)
        if started is not None:
            return started
    return None


def _begin_again(session: Session, turn_id: str) -> TrainingJob | None:
    return change_row(
        session,
        TrainingJob,
        TrainingJob.turn_id == turn_id,
        TrainingJob.state == JobState.TRAINING,
        attempt=TrainingJob.attempt + 1,
        updated_at=utc_now(),
        revision=TrainingJob.revision + 1,
    )
