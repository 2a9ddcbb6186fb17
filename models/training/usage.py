"""How much a guild stores. Rows know the sizes of their files, so no file is looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.shards import EVERY_GUILD, ServedShards
from models.tables import Corpus, TextModel
from models.training import training_jobs
from models.training.names import key_of

Stored = type[Corpus] | type[TextModel]


@dataclass(frozen=True)
class Usage:
    """What a guild stores.

    Attributes:
        size: bytes of its texts and bundles.
        models: number of its models.
    """

    size: int
    models: int


@dataclass(frozen=True)
class Unmeasured:
    """A row whose file was stored before sizes were recorded."""

    table: Stored
    id: int
    guild_id: int
    path: str


def of_guild(session: Session, guild_id: int) -> Usage:
    """Return what the guild stores, by one statement."""
    # A text that was uploaded twice is one file. One that was never measured has at least a byte a character.
    texts = (
        sa.select(sa.func.max(sa.func.coalesce(Corpus.size, Corpus.characters)).label("size"))
        .where(Corpus.guild_id == guild_id, Corpus.text_deleted_at.is_(None))
        .group_by(Corpus.sha256)
        .subquery()
    )
    bundles = sa.select(sa.func.sum(TextModel.size)).where(TextModel.guild_id == guild_id)
    models = sa.select(sa.func.count()).where(TextModel.guild_id == guild_id)
    row = session.execute(
        sa.select(
            sa.select(sa.func.sum(texts.c.size)).scalar_subquery(),
            bundles.scalar_subquery(),
            models.scalar_subquery(),
        )
    ).one()
    return Usage(int(row[0] or 0) + int(row[1] or 0), int(row[2] or 0))


def models_to_come(session: Session, guild_id: int, name: str) -> int:
    """Return how many models the guild's unfinished trainings and one of this name will add."""
    keys = {key_of(job.model_name) for job in training_jobs.listing(session, guild_id)} | {key_of(name)}
    known = sa.select(TextModel.name_key).where(TextModel.guild_id == guild_id, TextModel.name_key.in_(keys))
    return len(keys - set(session.scalars(known)))


def unmeasured(
    session: Session, table: Stored, after: int, served: ServedShards = EVERY_GUILD, limit: int = 200
) -> Sequence[Unmeasured]:
    """Return rows of the served guilds whose size is unknown, for the bot itself.

    Args:
        session: an open SQLAlchemy session.
        table: `Corpus` or `TextModel`.
        after: only rows with a higher id.
        served: the shards of this process.
        limit: the most rows, in the order of their ids.
    """
    chosen = sa.select(table.id, table.guild_id, _path(table)).where(
        table.size.is_(None), table.id > after, served.rows(table.guild_id)
    )
    if table is Corpus:
        chosen = chosen.where(Corpus.text_deleted_at.is_(None))
    return [Unmeasured(table, *row) for row in session.execute(chosen.order_by(table.id).limit(limit))]


def measured(session: Session, sizes: Mapping[Unmeasured, int]) -> None:
    """Record sizes in bytes, unless a row got another file in the meantime."""
    for row, size in sizes.items():
        values: dict[str, Any] = {"size": size}
        if row.table is TextModel:  # its bundle is no newer
            values["updated_at"] = TextModel.updated_at
        session.execute(
            sa.update(row.table)
            .where(row.table.guild_id == row.guild_id, row.table.id == row.id, _path(row.table) == row.path)
            .values(values)
            .execution_options(synchronize_session=False)
        )


def _path(table: Stored) -> InstrumentedAttribute[str]:
    return Corpus.path if table is Corpus else TextModel.bundle_path
