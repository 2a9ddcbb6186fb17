"""A backup of PostgreSQL, by its own programs, from one empty database into another."""

from pathlib import Path

import pytest
import sqlalchemy as sa

import migrations
from bot.backup import databases
from bot.backup.archive import BackupError
from bot.backup.restoring import restore
from bot.backup.writing import backup
from bot.settings import Settings
from models import Base, Database, TextModel
from tests.bot.backup.test_backup import Installation, require_whole
from tests.models.conftest import postgresql_server
from tests.support.postgresql import PostgresServer
from tests.support.rows import new_corpus

__all__ = ["postgresql_server"]


@pytest.mark.slow
def test_rows_and_files_come_back(postgresql_server: PostgresServer, tmp_path: Path):
    old_url, new_url = postgresql_server.new_database(), postgresql_server.new_database()
    settings = {"_env_file": None, "database_url": old_url, "jobs_database_url": old_url}
    old = Installation(Settings(data_dir=tmp_path / "old", **settings))
    old.database.dispose()
    backup(old.settings, tmp_path / "backup.zip")
    with pytest.raises(BackupError, match="the database that DATABASE_URL names is not empty"):
        restore(Settings(data_dir=tmp_path / "new", **settings), tmp_path / "backup.zip")
    fresh = Settings(
        data_dir=tmp_path / "new", **settings | dict.fromkeys(("database_url", "jobs_database_url"), new_url)
    )
    restore(fresh, tmp_path / "backup.zip")
    require_whole(fresh, "Romeo")
    assert migrations.is_current(new_url)


def sqlite_backup(folder: Path) -> Installation:
    old = Installation(Settings(_env_file=None, data_dir=folder / "old"))
    old.database.dispose()
    backup(old.settings, folder / "backup.zip")
    return old


def test_rows_of_sqlite_are_carried_over(postgresql_server: PostgresServer, tmp_path: Path):
    old = sqlite_backup(tmp_path)
    url = postgresql_server.new_database()
    new = Settings(_env_file=None, data_dir=tmp_path / "new", database_url=url)
    restore(new, tmp_path / "backup.zip")
    require_whole(new, "Romeo")
    before, after = Database(old.settings.database_url), Database(url)
    with before.read() as left, after.read() as right:
        for table in Base.metadata.sorted_tables:
            order = list(table.primary_key)
            rows = [session.execute(sa.select(table).order_by(*order)).all() for session in (left, right)]
            assert rows[0] == rows[1], table.name
    # The next rows get ids of their own.
    with after.write() as session:
        assert new_corpus(session, 5, sha256="f" * 64, path="guilds/5/corpora/f").id == 2
    before.dispose()
    after.dispose()


def test_a_row_that_postgresql_does_not_take_leaves_it_empty(
    postgresql_server: PostgresServer, tmp_path: Path
):
    old = Installation(Settings(_env_file=None, data_dir=tmp_path / "old"))
    with old.database.write() as session:
        session.get_one(TextModel, 1).name = "Ro\0meo"
    old.database.dispose()
    backup(old.settings, tmp_path / "backup.zip")
    url = postgresql_server.new_database()
    new = Settings(_env_file=None, data_dir=tmp_path / "new", database_url=url)
    with pytest.raises(BackupError, match="PostgreSQL does not take the rows of this backup"):
        restore(new, tmp_path / "backup.zip")
    assert databases.is_empty(url)


def test_a_backup_of_postgresql_is_no_sqlite(postgresql_server: PostgresServer, tmp_path: Path):
    url = postgresql_server.new_database()
    old = Installation(
        Settings(_env_file=None, data_dir=tmp_path / "old", database_url=url, jobs_database_url=url)
    )
    old.database.dispose()
    backup(old.settings, tmp_path / "backup.zip")
    with pytest.raises(BackupError, match="holds a postgresql database"):
        restore(Settings(_env_file=None, data_dir=tmp_path / "new"), tmp_path / "backup.zip")


def test_missing_programs_are_named(postgresql_server: PostgresServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(BackupError, match="pg_dump is not on PATH"):
        databases.require_program(postgresql_server.new_database(), "pg_dump")
