"""Runs revisions in one transaction: all of them or none, after a copy of the SQLite file."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import exc

from models.connection.engine import make_engine, parse_url
from models.connection.errors import DatabaseError, one_clear_line, shown
from models.connection.sqlite_driver import DRIVER

FOLDER = Path(__file__).parent

# Whoever migrates a PostgreSQL database holds this lock. Any constant will do, if all versions use the same.
POSTGRESQL_LOCK = 0x70617374


def upgrade(url: str, *, folder: Path = FOLDER) -> Path | None:
    """Bring a database to the newest revision.

    Several processes may call this at once: one migrates, the others wait and find nothing to do.

    Args:
        url: the address of the database, see `models.Database`.
        folder: the folder of ``env.py`` and ``versions``.

    Returns:
        The copy of the SQLite file, ``FILE.backup-REVISION``, or None if the database was empty or current.

    Raises:
        DatabaseError: the database cannot be used, is of a newer version of Pastiche, or a revision failed.
            It is then as it was.
    """
    return _migrate(url, folder, command.upgrade, "head")


def downgrade(url: str, revision: str) -> Path | None:
    """Downgrade a database to a revision; ``base`` is the empty one. Values of newer columns are lost.

    Address, result and errors are those of `upgrade`.
    """
    return _migrate(url, FOLDER, command.downgrade, revision)


def current(url: str) -> str | None:
    """Return the revision of a database; None if it has none yet.

    Raises:
        DatabaseError: the database cannot be reached or read.
    """
    address = parse_url(url)
    with opened(address, writes=False) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_current(url: str) -> bool:
    """Return whether a database has the newest tables.

    Raises:
        DatabaseError: the database cannot be reached or read.
    """
    return current(url) == newest()


def newest() -> str | None:
    """Return the newest revision that this version of Pastiche knows."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def configuration(folder: Path = FOLDER) -> Config:
    """Return Alembic's settings without a settings file."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _migrate(url: str, folder: Path, direction: Callable[[Config, str], None], target: str) -> Path | None:
    address = parse_url(url)
    config = configuration(folder)
    script = ScriptDirectory.from_config(config)
    wanted = script.get_current_head() if target == "head" else None if target == "base" else target
    with opened(address, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(POSTGRESQL_LOCK)))
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision == wanted:
            return None
        known = {each.revision for each in script.walk_revisions()}
        if revision is not None and revision not in known:
            raise DatabaseError(
                f"{shown(address)}: the database is at revision {revision}, which this version of Pastiche "
                f"does not know (its newest is {script.get_current_head()}); install the version that made "
                "it, or restore a backup"
            )
        if wanted is not None and wanted not in known:
            raise DatabaseError(f"there is no revision {wanted}; there are {', '.join(sorted(known))}")
        backup = _backup(connection, address, revision)
        config.attributes["connection"] = connection
        try:
            direction(config, target)
            _check_foreign_keys(connection)
        except (exc.SQLAlchemyError, CommandError) as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())
            raise DatabaseError(
                f"{shown(address)}: migrating from {revision} to {wanted} failed, the database is as it was: "
                f"{reason}"
            ) from error
    return backup


@contextmanager
def opened(address: sa.URL, *, writes: bool) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that may drop tables: SQLite checks no foreign keys in it.

    Args:
        address: what `parse_url` returned.
        writes: whether the transaction may write.

    Raises:
        DatabaseError: the database cannot be reached or used.
    """
    engine = make_engine(address, foreign_keys=False)
    try:
        with one_clear_line(address), engine.execution_options(writes=writes).begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _backup(connection: sa.Connection, address: sa.URL, revision: str | None) -> Path | None:
    """Copy the file as it was before this transaction; nobody else can write meanwhile."""
    if connection.dialect.name != "sqlite" or not sa.inspect(connection).get_table_names():
        return None
    source = Path(str(address.database))
    target = source.with_name(f"{source.name}.backup-{revision or 'unversioned'}")
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(DRIVER.connect(source)) as original, closing(DRIVER.connect(unfinished)) as copy:
            original.backup(copy)
            copy.execute(
                "PRAGMA journal_mode = DELETE"
            )  # one plain file, readable where nothing can be written
        shutil.copymode(source, unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)
    except (OSError, DRIVER.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise DatabaseError(
            f"{shown(address)}: not migrated, as the backup {target} cannot be written: {error}"
        ) from error
    return target


def _check_foreign_keys(connection: sa.Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise exc.InvalidRequestError(
            f"row {broken[1]} of {broken[0]} refers to a missing row of {broken[2]}"
        )
