"""What has been kept long enough. All of it is the system's own: it looks at every guild."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.personal_data import guild_ids
from models.tables import UNFINISHED, Corpus, FileRemoval, GuildSettings, Installation, TextModel, TrainingJob


def expire_texts(session: Session, now: datetime) -> Sequence[Corpus]:
    """Mark texts as deleted that their guild keeps no longer: so many days after their last training.

    A text that was never trained on counts from its upload; one that a training still waits for stays.
    """
    used = sa.or_(TrainingJob.corpus_id == Corpus.id, TrainingJob.validation_corpus_id == Corpus.id) & (
        TrainingJob.guild_id == Corpus.guild_id
    )
    last_end = sa.select(sa.func.max(TrainingJob.finished_at)).where(used).scalar_subquery()
    in_use = sa.exists().where(used, TrainingJob.state.in_(UNFINISHED))
    stored = (
        sa.select(Corpus, GuildSettings.keep_corpora_days, last_end)
        .join(GuildSettings, GuildSettings.guild_id == Corpus.guild_id)
        .where(
            GuildSettings.keep_corpora_days.is_not(None), Corpus.text_deleted_at.is_(None), sa.not_(in_use)
        )
    )
    expired = [
        corpus
        for corpus, days, end in session.execute(stored)
        if days is not None and (end or corpus.created_at) + timedelta(days=days) <= now
    ]
    for corpus in expired:
        corpus.text_deleted_at = now
    session.flush()
    return expired


def presence_marks(session: Session) -> dict[int, bool]:
    """Return every guild that any table knows, and whether it counts as one that removed the bot."""
    marked = sa.select(GuildSettings.guild_id).where(GuildSettings.removed_at.is_not(None))
    left = set(session.scalars(marked))
    return {guild_id: guild_id in left for guild_id in sorted(guild_ids(session) | left)}


def left_before(session: Session, moment: datetime) -> Sequence[int]:
    """Return the guilds that removed the bot before a moment."""
    return session.scalars(sa.select(GuildSettings.guild_id).where(GuildSettings.removed_at < moment)).all()


def remove_files(session: Session, paths: Iterable[str], now: datetime) -> None:
    """Record what must go once this transaction is committed, by its path in the data directory."""
    session.add_all([FileRemoval(path=path, created_at=now) for path in sorted(set(paths))])
    session.flush()


def removals(session: Session) -> Sequence[FileRemoval]:
    """Return the files and folders that must go."""
    return session.scalars(sa.select(FileRemoval).order_by(FileRemoval.id)).all()


def database_made_at(session: Session) -> datetime | None:
    """Return when this database was made, long ago for one that has been upgraded; None if that is unknown.

    Files that are older belong to another database: nothing is known of them here.
    """
    return session.scalars(sa.select(Installation.created_at)).first()


def lock_files(session: Session, guild_id: int) -> None:
    """Let no row that names a file of the guild's begin before this (writing) transaction ends."""
    session.get(GuildSettings, guild_id, with_for_update=True)


def claim_removal(session: Session, removal_id: int, guild_id: int) -> bool:
    """Return whether this must still go; nobody can `keep_files` it before this (writing) transaction ends.

    Args:
        session: a writing one.
        removal_id: which.
        guild_id: whose file it is; who writes a row for it holds the guild's lock.
    """
    lock_files(session, guild_id)
    chosen = sa.select(FileRemoval.id).where(FileRemoval.id == removal_id).with_for_update()
    return session.scalar(chosen) is not None


def keep_files(session: Session, paths: Iterable[str]) -> None:
    """Take files off the list of what must go: the rows that name them are written in this transaction."""
    session.execute(sa.delete(FileRemoval).where(FileRemoval.path.in_(list(paths))))


def removed(session: Session, ids: Iterable[int]) -> None:
    """Record that these are gone for good."""
    session.execute(sa.delete(FileRemoval).where(FileRemoval.id.in_(list(ids))))


def names_in_use(session: Session, guild_id: int) -> set[str]:
    """Return the file names of the guild's stored texts and bundles, and its unfinished trainings' ids."""
    texts = sa.select(Corpus.path).where(Corpus.guild_id == guild_id, Corpus.text_deleted_at.is_(None))
    bundles = sa.select(TextModel.bundle_path).where(TextModel.guild_id == guild_id)
    paths = [*session.scalars(texts), *session.scalars(bundles)]
    return {path.rpartition("/")[2] for path in paths} | trainings_in_use(session, guild_id)


def trainings_in_use(session: Session, guild_id: int) -> set[str]:
    """Return the ids of the guild's unfinished trainings."""
    jobs = sa.select(TrainingJob.id).where(
        TrainingJob.guild_id == guild_id, TrainingJob.state.in_(UNFINISHED)
    )
    return set(session.scalars(jobs))
