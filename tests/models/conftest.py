"""Databases to test on: a SQLite file always, a private PostgreSQL server where one is installed."""

import os
import pwd
import shutil
import signal
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

MEMORY = Path("/dev/shm")


def has_room(folder: Path) -> bool:
    """Whether a folder can hold a server of some hundred MB."""
    return folder.is_dir() and shutil.disk_usage(folder).free > 2**30


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
    # A socket's path is limited to 107 bytes, and the server refuses to run as root. A database has some 300
    # files: on a disk, creating and deleting them takes longer than the tests.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=MEMORY if has_room(MEMORY) else "/tmp"))
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
        server.send_signal(signal.SIGQUIT)  # nothing of it is kept
        server.wait(timeout=30)
        shutil.rmtree(folder)


def run_statement(server: str, statement: str) -> None:
    engine = sa.create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with today's tables and no rows."""
    path = tmp_path_factory.mktemp("migrated") / "pastiche.sqlite"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_name(postgresql_server: str) -> str:
    """The same on PostgreSQL: the name of a database to copy."""
    run_statement(postgresql_server, "CREATE DATABASE migrated")
    migrations.upgrade(postgresql_server.format("migrated"))
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
    server: str = request.getfixturevalue("postgresql_server")
    made: list[str] = []

    def postgresql(*, tables: bool = False) -> str:
        made.append(f"test_{time.monotonic_ns()}")
        source = request.getfixturevalue("migrated_name") if tables else "template1"
        run_statement(server, f"CREATE DATABASE {made[-1]} TEMPLATE {source}")
        return server.format(made[-1])

    yield postgresql
    for name in made:
        run_statement(server, f"DROP DATABASE {name} WITH (FORCE)")


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
