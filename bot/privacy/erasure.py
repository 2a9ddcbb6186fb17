"""Deletes what is stored: first the rows, all or nothing, together with a list of files; then the files.

After a crash in between, the next start deletes the files of the list. Everything here blocks, so call it
from a worker thread. Knows nothing of Discord.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from bot.infra.paths import Layout
from models import (
    EVERY_GUILD,
    Corpus,
    Database,
    FileRemoval,
    ServedShards,
    audit,
    personal_data,
    retention,
)

# A training that is told to stop may still write for a moment, so its folders are deleted again later.
LOOKED_AT_AGAIN = timedelta(hours=1)


@dataclass(frozen=True)
class Erased:
    """What was deleted.

    Attributes:
        texts: number of corpora.
        trainings: number of trainings, queued or running, that were cancelled.
        models: names of the models.
    """

    texts: int
    trainings: int
    models: tuple[str, ...]


def erase_guild(
    database: Database, layout: Layout, guild_id: int, now: datetime, *, asked_by: int | None = None
) -> None:
    """Delete everything of a guild, except one entry of the audit log that says who asked for it.

    Args:
        database: holds the rows.
        layout: knows the paths of the files.
        guild_id: Discord id of the guild that owns the rows.
        now: the present moment (aware).
        asked_by: Discord id of the person who asked; None deletes the whole audit log too.
    """
    with database.write() as session:
        jobs = [str(row["id"]) for row in personal_data.rows(session, guild_id).get("training_job", ())]
        on_disk = layout.guild(guild_id).glob("*/*")
        paths = [*on_disk, *(path for job in jobs for path in layout.of_job(guild_id, job))]
        personal_data.erase_guild(session, guild_id)
        retention.remove_files(session, _relative(layout, paths), now)
        if asked_by is not None:
            audit.record(session, guild_id, asked_by, "data.deleted", scope="server")
    database.forget_log()
    carry_out_removals(database, layout, now, guild_id.__eq__)


def erase_person(
    database: Database, layout: Layout, guild_id: int, user_id: int, now: datetime, *, models: bool
) -> Erased:
    """Delete a person's texts and id from a guild; with `models` also models that learned from the texts."""
    with database.write() as session:
        texts = personal_data.texts(session, guild_id, user_id)
        learned = personal_data.models_from(session, guild_id, user_id) if models else ()
        paths = [_stored(layout, corpus) for corpus in texts]
        paths += [layout.bundle(guild_id, Path(model.bundle_path).name) for model in learned]
        if learned:
            personal_data.delete_models(session, guild_id, [model.id for model in learned])
        cancelled = personal_data.forget_person(session, guild_id, user_id, now)
        paths += [path for job in cancelled for path in layout.of_job(guild_id, job.id)]
        retention.remove_files(session, _relative(layout, paths), now)
        # Naming who asked would store again what was just deleted.
        audit.record(session, guild_id, personal_data.DELETED_PERSON, "data.deleted", scope="person")
    database.forget_log()
    carry_out_removals(database, layout, now, guild_id.__eq__)
    return Erased(len(texts), len(cancelled), tuple(model.name for model in learned))


def expire_texts(
    database: Database, layout: Layout, now: datetime, served: ServedShards = EVERY_GUILD
) -> int:
    """Delete the texts that their guilds keep no longer, and return their number."""
    number = 0
    while True:  # in several transactions, between which others may write
        with database.write() as session:
            expired = retention.expire_texts(session, now, served)
            retention.remove_files(
                session, _relative(layout, (_stored(layout, corpus) for corpus in expired)), now
            )
        number += len(expired)
        if len(expired) < retention.AT_ONCE:
            break
    if number:
        carry_out_removals(database, layout, now, of=served.owns)
    return number


def carry_out_removals(
    database: Database, layout: Layout, now: datetime, of: Callable[[int], bool] = EVERY_GUILD.owns
) -> None:
    """Delete the files and folders of the list, unless a row names them again.

    Args:
        database: holds the list.
        layout: knows the paths of the files.
        now: the present moment (aware).
        of: whether the files of a guild are for this process to delete.
    """
    with database.read() as session:
        listed = list(retention.removals(session))
    for removal in listed:
        if not of(_guild_of(removal)):
            continue
        # One transaction: nobody can begin to use the file between the check and the deletion.
        with database.write() as session:
            if not retention.claim_removal(session, removal.id, _guild_of(removal)):
                continue
            in_use = _in_use(session, removal)
            if not in_use:
                _delete(layout.data_dir / removal.path)
            if in_use or now - removal.created_at > LOOKED_AT_AGAIN:
                retention.removed(session, [removal.id])


def _stored(layout: Layout, corpus: Corpus) -> Path:
    return layout.corpus(corpus.guild_id, corpus.sha256)


def _relative(layout: Layout, paths: Iterable[Path]) -> list[str]:
    return [str(path.relative_to(layout.data_dir)) for path in paths]


def _guild_of(removal: FileRemoval) -> int:
    return int(Path(removal.path).parts[1])


def _in_use(session: Session, removal: FileRemoval) -> bool:
    name = Path(removal.path).name
    return name.removesuffix(".checkpoint") in retention.names_in_use(session, _guild_of(removal))


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # the folder is not empty
        path.parent.rmdir()
        path.parent.parent.rmdir()
