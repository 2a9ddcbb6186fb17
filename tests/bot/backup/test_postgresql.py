"""A backup of PostgreSQL, by its own programs, from one empty database into another."""

from pathlib import Path

import pytest

import migrations
from bot.backup import databases
from bot.backup.archive import BackupError
from bot.backup.restoring import restore
from bot.backup.writing import backup
from bot.settings import Settings
from tests.bot.backup.test_backup import Installation, require_whole
from tests.models.conftest import postgresql_server
from tests.support.postgresql import PostgresServer

__all__ = ["postgresql_server"]


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


def test_another_kind_of_database_is_refused(postgresql_server: PostgresServer, tmp_path: Path):
    old = Installation(Settings(_env_file=None, data_dir=tmp_path / "old"))
    backup(old.settings, tmp_path / "backup.zip")
    other = Settings(_env_file=None, data_dir=tmp_path / "new", database_url=postgresql_server.new_database())
    with pytest.raises(BackupError, match="holds a sqlite database"):
        restore(other, tmp_path / "backup.zip")


def test_missing_programs_are_named(postgresql_server: PostgresServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(BackupError, match="pg_dump is not on PATH"):
        databases.require_program(postgresql_server.new_database(), "pg_dump")
