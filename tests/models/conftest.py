"""Databases to test on: a SQLite file always, a private PostgreSQL server where one is installed."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

import migrations
from models import Database
from tests.support.postgresql import PostgresServer, postgresql_server

__all__ = ["postgresql_server"]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with today's tables and no rows."""
    path = tmp_path_factory.mktemp("migrated") / "pastiche.sqlite"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_name(postgresql_server: PostgresServer) -> str:
    """The same on PostgreSQL: the name of a database to copy."""
    postgresql_server.run("CREATE DATABASE migrated")
    migrations.upgrade(postgresql_server.url("migrated"))
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The kind of database the test is run on."""
    return str(request.param)


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """The address of a database with nothing in it."""
    return new_url()


@pytest.fixture
def new_url(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Makes addresses of databases: empty, or with ``tables`` today's tables and no rows."""
    if backend == "sqlite":
        numbers = count()

        def sqlite(*, tables: bool = False) -> str:
            path = tmp_path / f"pastiche-{next(numbers)}.sqlite"
            if tables:
                shutil.copy(request.getfixturevalue("migrated_file"), path)
            return f"sqlite:///{path}"

        yield sqlite
        return
    server: PostgresServer = request.getfixturevalue("postgresql_server")
    made: list[str] = []

    def postgresql(*, tables: bool = False) -> str:
        made.append(server.new_database(request.getfixturevalue("migrated_name") if tables else "template1"))
        return made[-1]

    yield postgresql
    for url in made:
        server.drop(url)


@pytest.fixture
def database(new_url: Callable[..., str]) -> Iterator[Database]:
    """A database with today's tables."""
    database = Database(new_url(tables=True))
    yield database
    database.dispose()


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    """Child processes put here do not outlive the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for child in started:
        child.kill()
        child.wait()
