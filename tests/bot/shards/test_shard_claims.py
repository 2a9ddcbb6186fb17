"""Each shard has one process, whatever happens to the connections that hold it."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.infra.discord import shard_claims
from bot.infra.discord.shard_claims import ShardClaims
from bot.settings import SettingsError
from models.connection.advisory_locks import AdvisoryLocks
from models.connection.engine import make_engine, parse_url
from tests.support.patience import PATIENCE_S
from tests.support.postgresql import PostgresServer, postgresql_server

__all__ = ["postgresql_server"]

BOT = 42
HOLDER = """
import sys
from bot.infra.discord.shard_claims import ShardClaims
ShardClaims(sys.argv[1], print).claim(42, 2, [0])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def postgresql(postgresql_server: PostgresServer) -> Iterator[str]:
    made = postgresql_server.new_database()
    yield made
    postgresql_server.drop(made)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/pastiche.sqlite"
    return str(request.getfixturevalue("postgresql"))


@pytest.fixture
def made() -> Iterator[Callable[..., ShardClaims]]:
    """Claims that do not outlive the test; those of the last call are released first."""
    claims: list[ShardClaims] = []

    def make(url: str, on_lost: Callable[[SettingsError], object] = print) -> ShardClaims:
        claims.append(ShardClaims(url, on_lost))
        return claims[-1]

    yield make
    for each in claims:
        each.release()


@pytest.mark.slow
def test_a_shard_is_refused_while_another_process_serves_it(url: str, made: Callable[..., ShardClaims]):
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(
            SettingsError, match=rf"process {holder.pid}\b.* already serves shard 0 of 2"
        ) as told:
            made(url).claim(BOT, 2, [1, 0])
        assert "\n" not in str(told.value)
        with pytest.raises(SettingsError, match="by 2 shards, this one by 3"):
            made(url).claim(BOT, 3, [1])
        made(url).claim(BOT, 2, [1])
        made(url).claim(BOT + 1, 3, [0])  # another bot has other shards
        holder.kill()
        holder.wait()
    made(url).claim(BOT, 2, [0])


def test_shards_that_were_given_back_may_be_divided_anew(url: str, made: Callable[..., ShardClaims]):
    first = made(url)
    first.claim(BOT, 2, [0, 1])
    first.release()
    made(url).claim(BOT, 4, [0, 1, 2, 3])


def break_connections(url: str) -> None:
    engine = make_engine(parse_url(url))
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pastiche %%'"
        )
    engine.dispose()


def is_free(url: str) -> bool:
    locks = AdvisoryLocks(parse_url(url))
    try:
        return locks.take(f"{BOT} shard", 0)
    finally:
        locks.close()


def test_a_shard_is_held_again_after_the_database_was_away(
    postgresql: str, made: Callable[..., ShardClaims], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shard_claims, "CHECK_EVERY_S", 0.1)
    monkeypatch.setattr(shard_claims, "RETRY_EVERY_S", 0.1)
    lost: list[SettingsError] = []
    claims = made(postgresql, lost.append)
    claims.claim(BOT, 2, [0])
    held = claims._locks
    break_connections(postgresql)
    deadline = time.monotonic() + PATIENCE_S
    while claims._locks in (held, None) or is_free(postgresql):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not lost


def test_a_process_that_lost_its_shard_to_another_one_is_told(
    postgresql: str, made: Callable[..., ShardClaims], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shard_claims, "CHECK_EVERY_S", 0.5)
    monkeypatch.setattr(shard_claims, "RETRY_EVERY_S", 0.1)
    lost: list[SettingsError] = []
    told = threading.Event()
    made(postgresql, lambda reason: (lost.append(reason), told.set())).claim(BOT, 2, [0])
    other = AdvisoryLocks(parse_url(postgresql))
    taken = False
    while not taken:
        if not other.take(f"{BOT} shard", 0):
            engine = make_engine(parse_url(postgresql))
            with engine.connect() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks "
                    "WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                )
            engine.dispose()
        else:
            taken = True
    assert told.wait(PATIENCE_S)
    assert "already serves shard 0 of 2" in str(lost[0])
    other.close()
