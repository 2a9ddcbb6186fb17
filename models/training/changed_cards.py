"""Which cards of trainings are out of date: looked for every few seconds, in all guilds of a process."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.shards import EVERY_GUILD, ServedShards
from models.tables import TrainingJob


def changed_cards(
    session: Session,
    limit: int = 50,
    *,
    without: Collection[int] = (),
    served: ServedShards = EVERY_GUILD,
) -> Sequence[TrainingJob]:
    """Return the served guilds' jobs whose card is out of date, longest unchanged first, for the bot itself.

    Every channel's first job comes before any channel's second, so that no channel delays another one.

    Args:
        session: an open SQLAlchemy session.
        limit: the most rows to return.
        without: Discord ids of channels to leave out.
        served: the guilds to look at.
    """
    turn = sa.func.row_number().over(
        partition_by=TrainingJob.channel_id, order_by=(TrainingJob.updated_at, TrainingJob.id)
    )
    changed = (
        TrainingJob.shown_revision < TrainingJob.revision,
        TrainingJob.channel_id.not_in(without),
        served.rows(TrainingJob.guild_id),
    )
    # PostgreSQL expects a third of all jobs to be changed, and in one step it would read all of them. The
    # first step needs an index alone.
    turns = sa.select(TrainingJob.id, TrainingJob.updated_at, turn.label("turn")).where(*changed).subquery()
    first = sa.select(turns.c.id).order_by(turns.c.turn, turns.c.updated_at, turns.c.id).limit(limit)
    places = {job_id: place for place, job_id in enumerate(session.scalars(first))}
    jobs = session.scalars(sa.select(TrainingJob).where(TrainingJob.id.in_(places)))
    return sorted(jobs, key=lambda job: places[job.id])
