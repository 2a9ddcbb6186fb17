"""Deletes what is stored: first the rows, all or nothing, together with a list of files; then the files.

After a crash in between, the next start deletes the files of the list. Everything here blocks, so call it
from a worker thread. Knows nothing of Discord.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from bot.infra.storage import keys
from bot.infra.storage.errors import StorageError
from bot.infra.storage.storage import Storage
from models import (
    EVERY_GUILD,
    Corpus,
    Database,
    FileRemoval,
    ServedShards,
    audit,
    personal_data,
    retention,
    text_models,
    training_jobs,
)

log = structlog.stdlib.get_logger(__name__)

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
    database: Database, storage: Storage, guild_id: int, now: datetime, *, asked_by: int | None = None
) -> None:
    """Delete everything of a guild, except one entry of the audit log that says who asked for it.

    Args:
        database: holds the rows.
        storage: has the files.
        guild_id: Discord id of the guild that owns the rows.
        now: the present moment (aware).
        asked_by: Discord id of the person who asked; None deletes the whole audit log too.
    """
    with database.write() as session:
        named = [_folder(key) for key in retention.keys_of(session, guild_id) if keys.guild_in(key)]
        jobs = training_jobs.listing(session, guild_id)
        of_jobs = [key for job in jobs for key in keys.of_job(guild_id, job.id)]
        personal_data.erase_guild(session, guild_id)
        retention.remove_files(session, {*storage.strays(guild_id), *named, *of_jobs}, now)
        if asked_by is not None:
            audit.record(session, guild_id, asked_by, "data.deleted", scope="server")
    database.forget_log()
    carry_out_removals(database, storage, now, guild_id.__eq__)


def erase_person(
    database: Database, storage: Storage, guild_id: int, user_id: int, now: datetime, *, models: bool
) -> Erased:
    """Delete a person's texts and id from a guild; with `models` also models that learned from the texts."""
    with database.write() as session:
        texts = personal_data.texts(session, guild_id, user_id)
        learned = personal_data.models_from(session, guild_id, user_id) if models else ()
        theirs = [_stored(corpus) for corpus in texts]
        theirs += [keys.bundle_key(guild_id, keys.name_in(model.bundle_path)) for model in learned]
        if learned:
            text_models.delete_many(session, guild_id, [model.id for model in learned])
        cancelled = personal_data.forget_person(session, guild_id, user_id, now)
        theirs += [key for job in cancelled for key in keys.of_job(guild_id, job.id)]
        retention.remove_files(session, theirs, now)
        # Naming who asked would store again what was just deleted.
        audit.record(session, guild_id, personal_data.DELETED_PERSON, "data.deleted", scope="person")
    database.forget_log()
    carry_out_removals(database, storage, now, guild_id.__eq__)
    return Erased(len(texts), len(cancelled), tuple(model.name for model in learned))


def expire_texts(
    database: Database, storage: Storage, now: datetime, served: ServedShards = EVERY_GUILD
) -> int:
    """Delete the texts that their guilds keep no longer, and return their number."""
    number = 0
    while True:  # in several transactions, between which others may write
        with database.write() as session:
            expired = retention.expire_texts(session, now, served)
            retention.remove_files(session, map(_stored, expired), now)
        number += len(expired)
        if len(expired) < retention.AT_ONCE:
            break
    if number:
        carry_out_removals(database, storage, now, of=served.owns)
    return number


def carry_out_removals(
    database: Database, storage: Storage, now: datetime, of: Callable[[int], bool] = EVERY_GUILD.owns
) -> None:
    """Delete the files and folders of the list, unless a row names them again.

    If the storage cannot be used now, the rest stays on the list for the next time.

    Args:
        database: holds the list.
        storage: has the files.
        now: the present moment (aware).
        of: whether the files of a guild are for this process to delete.
    """
    with database.read() as session:
        listed = list(retention.removals(session))
    for removal in listed:
        guild_id = int(Path(removal.path).parts[1])
        if not of(guild_id):
            continue
        # One transaction: nobody can begin to use the file between the check and the deletion.
        with database.write() as session:
            if not retention.claim_removal(session, removal.id, guild_id):
                continue
            in_use = _in_use(session, guild_id, removal)
            if not in_use:
                try:
                    storage.delete(removal.path)
                except StorageError as error:
                    log.warning("files are not deleted yet", reason=str(error))
                    return
                _prune(storage.layout.located(removal.path).parent)
            if in_use or now - removal.created_at > LOOKED_AT_AGAIN:
                retention.removed(session, [removal.id])


def names_in_use(session: Session, guild_id: int) -> set[str]:
    """Return the file names of the guild's stored texts and bundles, and its unfinished trainings' ids."""
    stored = retention.keys_of(session, guild_id)
    return {*map(keys.name_in, stored), *retention.trainings_in_use(session, guild_id)}


def _stored(corpus: Corpus) -> str:
    return keys.corpus_key(corpus.guild_id, corpus.sha256)


def _folder(key: str) -> str:
    """Return the key below the guild's folders that all of a file lies at."""
    return "/".join(key.split("/")[:4])


def _in_use(session: Session, guild_id: int, removal: FileRemoval) -> bool:
    name = keys.name_in(removal.path)
    return name.removesuffix(keys.CHECKPOINT) in names_in_use(session, guild_id)


def _prune(folder: Path) -> None:
    with contextlib.suppress(OSError):  # the folder is not empty, or not there
        folder.rmdir()
        folder.parent.rmdir()
