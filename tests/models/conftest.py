"""Databases to test on: a SQLite file always, a private PostgreSQL server where one is installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

import migrations
from models import Database


def postgresql_programs() -> Path | None:
    """The folder of PostgreSQL's server programs (Debian keeps them off the PATH)."""
    on_path = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if on_path:
        return Path(on_path).resolve().parent
    return debian[-1].parent if debian else None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A server on a socket in a folder of its own; gives the address without a database's name."""
    programs = postgresql_programs()
    if programs is None or find_spec("psycopg") is None:
        pytest.skip("PostgreSQL: no `postgres` program (or no psycopg) on this machine")
    # A socket's path is limited to 107 bytes, and the server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    user = None
    if os.geteuid() == 0:
        with suppress(KeyError):
            user = pwd.getpwnam("postgres").pw_name
        user = user or "nobody"
        shutil.chown(folder, user)
    subprocess.run(
        [
            programs / "initdb",
            "-D",
            "data",
            "-U",
            "pastiche",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        user=user,
        cwd=folder,
    )
    server = subprocess.Popen(
        [programs / "postgres", "-D", "data", "-k", folder, "-h", "", "-F", "-N", "60"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=user,
        cwd=folder,
    )
    url = f"postgresql+psycopg://pastiche@/{{}}?host={folder}"
    try:
        engine = sa.create_engine(url.format("postgres"))
        deadline = time.monotonic() + 30
        while True:
            try:
                engine.connect().close()
                break
            except sa.exc.OperationalError:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise
                time.sleep(0.05)
        engine.dispose()
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The kind of database the test is run on."""
    return str(request.param)


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """The address of a database with nothing in it."""
    return new_url()


@pytest.fixture
def new_url(request: pytest.FixtureRequest, backend: str, tmp_path: Path) -> Callable[[], str]:
    """Makes addresses of empty databases."""
    numbers = count()

    def sqlite() -> str:
        return f"sqlite:///{tmp_path}/pastiche-{next(numbers)}.sqlite"

    if backend == "sqlite":
        return sqlite
    server: str = request.getfixturevalue("postgresql_server")

    def postgresql() -> str:
        name = f"test_{time.monotonic_ns()}"
        engine = sa.create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return server.format(name)

    return postgresql


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database with today's tables."""
    migrations.upgrade(url)
    database = Database(url)
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
