"""A private PostgreSQL server, where one is installed: it can be stopped, killed and started again."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa

STARTS_WITHIN_S = 60.0
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


class PostgresServer:
    """A server on a socket in a folder of its own."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # A socket's path is limited to 107 bytes, and the server refuses to run as root. A database has some
        # 300 files: on a disk, creating and deleting them takes longer than the tests.
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir=MEMORY if has_room(MEMORY) else "/tmp"))
        self._user = None
        if os.geteuid() == 0:
            with suppress(KeyError):
                self._user = pwd.getpwnam("postgres").pw_name
            self._user = self._user or "nobody"
            shutil.chown(self._folder, self._user)
        places = ("-D", "data", "-U", "pastiche", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        subprocess.run(
            [programs / "initdb", *places],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._user,
            cwd=self._folder,
        )
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str, user: str = "pastiche") -> str:
        return f"postgresql+psycopg://{user}@/{name}?host={self._folder}"

    def new_database(self, template: str = "template1") -> str:
        """Create a database, empty or a copy of another one, and return its address."""
        name = f"test_{time.monotonic_ns()}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Delete a database, whoever still uses it."""
        self.run(f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as the owner of everything."""
        engine = sa.create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", "data", "-k", self._folder, "-h", "", "-F", "-N", "100"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            cwd=self._folder,
        )
        engine = sa.create_engine(self.url("postgres"))
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                engine.connect().close()
                break
            except sa.exc.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
        engine.dispose()

    def crash(self) -> None:
        """Stop it at once, as a power cut would: connections break, and it recovers at the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        """Stop it and delete everything."""
        self.crash()
        shutil.rmtree(self._folder)


def new_server() -> PostgresServer:
    """Start a server; skip the test where none is installed."""
    programs = postgresql_programs()
    if programs is None or find_spec("psycopg") is None:
        pytest.skip("PostgreSQL: no `postgres` program (or no psycopg) on this machine")
    server = PostgresServer(programs)
    server.start()
    return server


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresServer]:
    """A server that tests share; nobody stops it."""
    server = new_server()
    yield server
    server.close()
