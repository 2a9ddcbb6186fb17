"""Deletes orphans: files and folders of the bot that no row names and nobody writes any more, after a kill.

With an S3-like storage the data directory of a host has only files that are being written, and copies: then
`bot.privacy.stray_objects` looks after the storage.

Only names that the bot makes itself are considered, and only what has not changed for an hour, because an
upload, an import or a training that is under way may have no row yet. Files older than the database belong to
another one: a wrong DATABASE_URL must not delete anybody's models. Everything here blocks.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from bot.infra.paths import CORPORA, GUILDS, JOBS, MODELS, Layout
from bot.infra.storage import keys
from bot.infra.storage.folder import changed_at, remove
from bot.infra.storage.objects import ObjectStorage
from bot.infra.storage.storage import Storage
from bot.privacy import stray_objects
from bot.privacy.erasure import names_in_use
from models import EVERY_GUILD, Database, retention

log = structlog.stdlib.get_logger(__name__)

UNTOUCHED = timedelta(hours=1)
# A training may take a day, and may write its temporary files only at its beginning.
UNTOUCHED_TEMPORARY = timedelta(days=2)

_HEX = r"[0-9a-f]{32}"
# The name of an unfinished file begins with a dot, and mostly ends with a suffix.
_TEXT = re.compile(
    rf"(?P<name>[0-9a-f]{{64}}\.txt)|\.{{1,2}}(?:[0-9a-f]{{64}}\.txt|upload-{_HEX})(?:\.\w{{1,16}}){{0,2}}"
)
_BUNDLE = re.compile(
    rf"(?P<name>(?:import-)?{_HEX})|\.?(?P<of>{_HEX})\.(?:checkpoint|lock|previous)"
    rf"|\.(?:import-)?{_HEX}(?:[.\w-]*\.(?:new|zip))?"
)
_JOB = re.compile(rf"(?P<of>{_HEX})")
_KINDS = {CORPORA: _TEXT, MODELS: _BUNDLE, JOBS: _JOB}
_ANY = re.compile(r".+", re.DOTALL)
# A killed process leaves its heartbeat; one that runs renews it every few seconds.
_TOP = re.compile(
    r"\.(?:heartbeat(?:-[\w.-]{1,80})?\.json|command-tree\.sha256)\.\w{1,16}|heartbeat(?:-[\w.-]{1,80})?\.json"
)


def sweep(
    database: Database, storage: Storage, now: datetime, *, of: Callable[[int], bool] = EVERY_GUILD.owns
) -> list[Path]:
    """Delete the orphans of this host and of the storage; return the paths of those of this host.

    Args:
        database: holds the rows.
        storage: has the files.
        now: the present moment (aware).
        of: whether a guild's files are for this process to look through.
    """
    swept = sweep_here(database, storage, now, of=of)
    if isinstance(storage, ObjectStorage):
        stray_objects.sweep(database, storage, now, of=of)
    return swept


def sweep_here(
    database: Database, storage: Storage, now: datetime, *, of: Callable[[int], bool] = EVERY_GUILD.owns
) -> list[Path]:
    """Delete the orphans in the data directory, and return their paths."""
    layout, copies = storage.layout, storage.is_remote
    swept: list[Path] = []
    older: list[Path] = []
    for guild_id, path, match in _ours(layout):
        if not of(guild_id):
            continue
        with database.read() as session:
            if _in_use(session, guild_id, match, copies=copies) or not _untouched(path, now, UNTOUCHED):
                continue
            if any(match.groupdict().values()) and _is_older(path, retention.database_made_at(session)):
                older.append(path)
                continue
        # One transaction: nobody can begin to use the file between the check and the deletion.
        with database.write() as session:
            retention.lock_files(session, guild_id)
            if not _in_use(session, guild_id, match, copies=copies) and _untouched(path, now, UNTOUCHED):
                remove(path)
                swept.append(path)
    for folder, least, name in (
        (layout.data_dir, UNTOUCHED, _TOP),
        (layout.home / "tmp", UNTOUCHED_TEMPORARY, _ANY),
    ):
        for path in _entries(folder):
            if name.fullmatch(path.name) and _untouched(path, now, least):
                remove(path)
                swept.append(path)
    if isinstance(storage, ObjectStorage):
        _sweep_cache(database, storage)
    if older:
        log.warning("files older than the database are left alone", count=len(older), first=str(older[0]))
    if swept:
        log.warning(
            "files without an owner deleted", paths=[str(path.relative_to(layout.data_dir)) for path in swept]
        )
    return swept


def _sweep_cache(database: Database, storage: ObjectStorage) -> None:
    """Delete copies of what rows name no longer: another host may have deleted the original."""
    for key in storage.cache.listing():
        guild_id = keys.guild_in(key)
        if guild_id is None:
            continue
        with database.read() as session:
            named = key in retention.keys_of(session, guild_id)
        if not named:
            storage.cache.forget(key)
    storage.cache.clear_unfinished()


def _ours(layout: Layout) -> Iterator[tuple[int, Path, re.Match[str]]]:
    for guild in _entries(layout.data_dir / GUILDS):
        if not guild.name.isdecimal():
            continue
        for kind, names in _KINDS.items():
            for path in _entries(guild / kind):
                match = names.fullmatch(path.name)
                if match is not None:
                    yield int(guild.name), path, match


def _in_use(session: Session, guild_id: int, match: re.Match[str], *, copies: bool) -> bool:
    found = match.groupdict()
    name, of = found.get("name"), found.get("of")
    if name is None or copies:  # a copy serves only the training that made it
        return (name or of) in retention.trainings_in_use(session, guild_id)
    return name in names_in_use(session, guild_id)


def _untouched(path: Path, now: datetime, least: timedelta) -> bool:
    """Whether nothing in a file or folder has changed for at least that long."""
    return now.timestamp() - changed_at(path) >= least.total_seconds()


def _is_older(path: Path, database_made_at: datetime | None) -> bool:
    # The clock of a file system may be some milliseconds behind.
    return database_made_at is None or changed_at(path) < database_made_at.timestamp() - 1


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
