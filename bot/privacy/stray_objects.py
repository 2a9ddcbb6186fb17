"""Deletes objects of an S3-like storage that no row names, a day after they were written.

An upload comes before its row, so a refused request, a killed process or a lost race leaves an object behind.
Everything here blocks.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from sqlalchemy.orm import Session

from bot.infra.paths import GUILDS
from bot.infra.storage import keys
from bot.infra.storage.bucket import Stored
from bot.infra.storage.objects import ObjectStorage
from models import EVERY_GUILD, Database, retention

log = structlog.stdlib.get_logger(__name__)

UNTOUCHED = timedelta(hours=24)


def sweep(
    database: Database,
    storage: ObjectStorage,
    now: datetime,
    *,
    of: Callable[[int], bool] = EVERY_GUILD.owns,
) -> list[str]:
    """Delete the objects that no row names, and return their keys.

    Objects older than the database belong to another one, and stay.

    Args:
        database: holds the rows.
        storage: has the objects.
        now: the present moment (aware).
        of: whether a guild's objects are for this process to look through.

    Raises:
        StorageError: the storage cannot be used now.
        DatabaseError: the database cannot be used now.
    """
    with database.read() as session:
        made_at = retention.database_made_at(session)
    swept, older = [], 0
    for guild_id, stored in _by_guild(storage):
        old = [each for each in stored if of(guild_id) and now - each.changed_at >= UNTOUCHED]
        if not old:
            continue
        with database.read() as session:
            is_named = _naming(session, guild_id)
        strays = [each for each in old if not is_named(each.key)]
        for each in strays:
            if made_at is None or each.changed_at < made_at - timedelta(seconds=1):
                older += 1
            elif _deleted(database, storage, guild_id, each.key, now):
                swept.append(each.key)
    if older:
        log.warning("objects older than the database are left alone", count=older, storage=storage.shown)
    if swept:
        log.warning("objects without an owner deleted", count=len(swept), first=swept[0])
    return swept


def _naming(session: Session, guild_id: int) -> Callable[[str], bool]:
    """Return a function that says whether the rows of a guild name a key."""
    stored = retention.keys_of(session, guild_id)
    names = set(map(keys.name_in, stored))
    trainings = retention.trainings_in_use(session, guild_id)

    def is_named(key: str) -> bool:
        name = keys.name_in(key)
        if name.removesuffix(keys.CHECKPOINT) in trainings:
            return True
        # Of two zips of a bundle, which two tries of a training made, a row names one.
        return key in stored if keys.is_packed(key) else name in names

    return is_named


def _by_guild(storage: ObjectStorage) -> Iterator[tuple[int, list[Stored]]]:
    """Yield the objects of each guild; a listing is in the order of the keys."""
    for guild_id, stored in groupby(storage.bucket.listing(GUILDS), key=lambda each: keys.guild_in(each.key)):
        if guild_id is not None:
            yield guild_id, list(stored)


def _deleted(database: Database, storage: ObjectStorage, guild_id: int, key: str, now: datetime) -> bool:
    # One transaction: nobody can insert a row that names it between the check and the deletion. Whoever has
    # uploaded it again since looks for it in that transaction, and finds it gone.
    with database.write() as session:
        retention.lock_files(session, guild_id)
        stored = storage.bucket.find(key)
        if stored is None or now - stored.changed_at < UNTOUCHED or _naming(session, guild_id)(key):
            return False
        storage.bucket.delete(key)
    return True
