"""A backup of PostgreSQL, by its own programs, from one empty database into another."""

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

import migrations
from bot.backup import databases
from bot.backup.archive import BackupError
from bot.backup.restoring import restore
from bot.backup.writing import backup
from bot.settings import Settings
from tests.bot.backup.test_backup import Installation, require_whole
from tests.models.conftest import postgresql_server

__all__ = ["postgresql_server"]


def new_database(server: str) -> str:
    name = f"backup_{time.monotonic_ns()}"
    engine = sa.create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.format(name)


def test_rows_and_files_come_back(postgresql_server: str, tmp_path: Path):
    old_url, new_url = new_database(postgresql_server), new_database(postgresql_server)
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


def test_another_kind_of_database_is_refused(postgresql_server: str, tmp_path: Path):
    old = Installation(Settings(_env_file=None, data_dir=tmp_path / "old"))
    backup(old.settings, tmp_path / "backup.zip")
    other = Settings(_env_file=None, data_dir=tmp_path / "new", database_url=new_database(postgresql_server))
    with pytest.raises(BackupError, match="holds a sqlite database"):
        restore(other, tmp_path / "backup.zip")


def test_missing_programs_are_named(postgresql_server: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(BackupError, match="pg_dump is not on PATH"):
        databases.require_program(new_database(postgresql_server), "pg_dump")
