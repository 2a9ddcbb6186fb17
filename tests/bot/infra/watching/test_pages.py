"""The pages that a monitoring system asks for, over real connections."""

import asyncio
import re
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

import migrations
from bot.infra.health import Heartbeat
from bot.infra.watching import parts, server
from bot.infra.watching.metrics import Failure, Metrics
from bot.infra.watching.readiness import NotReady, Readiness
from bot.infra.watching.server import WatchServer
from bot.infra.watching.sources import Sources
from bot.settings import SettingsError
from models import Database, DatabaseError
from tests.support.bot.trainings import until
from tests.support.rows import new_job

GUILD = 123456789012345678


def served(readiness: Readiness, metrics: Metrics, look: Any = None) -> WatchServer:
    async def nothing() -> None: ...

    return WatchServer(("127.0.0.1", 0), metrics, readiness, look or nothing)


async def page(watch: WatchServer, path: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{watch.port}{path}") as response,
    ):
        is_json = response.content_type == "application/json"
        return response.status, await (response.json() if is_json else response.text())


def value(text: str, series: str) -> float:
    (found,) = re.findall(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found)


async def test_ready_says_of_each_part_whether_it_answers(tmp_path: Path):
    def away() -> None:
        raise DatabaseError("postgresql+psycopg://pastiche:***@db/pastiche:\nconnection refused")

    def strange() -> None:
        raise RuntimeError("postgresql://pastiche:secret@db")

    def gone() -> None:
        (tmp_path / "gone").stat()

    well = {"database": lambda: None, "storage": lambda: None}
    async with served(Readiness(well), Metrics()) as watch:
        assert await page(watch, "/readyz") == (
            200,
            {"ready": True, "parts": {"database": "ok", "storage": "ok"}},
        )
    lacking = {"database": away, "queue": strange, "storage": gone}
    async with served(Readiness(lacking), Metrics()) as watch:
        status, told = await page(watch, "/readyz")
        assert await page(watch, "/healthz") == (200, {"alive": True})
    assert status == 503
    assert told == {
        "ready": False,
        "parts": {
            "database": "postgresql+psycopg://pastiche:***@db/pastiche: connection refused",
            "queue": "it failed (RuntimeError)",
            "storage": "No such file or directory",
        },
    }


async def test_a_part_that_hangs_is_named_in_time_and_is_not_asked_twice():
    asked, go_on = [], threading.Event()

    def hang() -> None:
        asked.append(1)
        go_on.wait(60)

    async with served(Readiness({"storage": hang}, patience_s=0.2), Metrics()) as watch:
        for _ in range(3):
            status, told = await page(watch, "/readyz")
            assert status == 503
            assert re.fullmatch(r"no answer for \d+ s", told["parts"]["storage"])
        assert len(asked) == 1
        go_on.set()
        await until(lambda: len(asked) == 1 and "ready-storage" not in thread_names())
        assert (await page(watch, "/readyz"))[0] == 200


def thread_names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_a_connection_that_was_never_made_or_is_lost_is_not_ready():
    with pytest.raises(NotReady, match="not connected to Discord"):
        parts.connected(lambda: None, 60)()
    with pytest.raises(NotReady, match=r"no connection to Discord for \d{3,} s"):
        parts.connected(lambda: 0.0, 60)()


async def test_an_address_that_cannot_be_served_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for host, port, says in (
            ("127.0.0.1", taken.getsockname()[1], "address already in use"),
            ("203.0.113.9", 9464, "cannot assign requested address"),
        ):
            watch = WatchServer((host, port), Metrics(), Readiness({}), lambda: asyncio.sleep(0))
            with pytest.raises(SettingsError) as refusal:
                await watch.__aenter__()
            assert f"PASTICHE_METRICS is {host}:{port}" in str(refusal.value)
            assert says in str(refusal.value)


async def test_connections_are_few_and_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(server, "CONNECTION_S", 2.0)
    async with served(Readiness({}), Metrics()) as watch:
        held = [await asyncio.open_connection("127.0.0.1", watch.port) for _ in range(4)]
        ends = [asyncio.create_task(reader.read()) for reader, _ in held]
        ended, waiting = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        assert ended == {ends[3]}, "the one that is too many is closed at once"
        async with asyncio.timeout(30):
            assert await asyncio.gather(*waiting) == [b""] * 3, "they say nothing, and are closed too"
        for _, writer in held:
            writer.close()
        assert (await page(watch, "/healthz"))[0] == 200


@pytest.fixture
def database(tmp_path: Path) -> Database:
    url = f"sqlite:///{tmp_path}/pastiche.sqlite"
    migrations.upgrade(url)
    return Database(url)


async def test_metrics_tell_what_is_and_name_nobody(database: Database, tmp_path: Path):
    metrics = Metrics()
    sources = Sources("bot", metrics, database, tmp_path, Heartbeat(tmp_path / "beat", lambda: True))
    client = SimpleNamespace(guilds=[1, 2, 3], latencies=[(0, 0.05), (1, float("nan"))])
    sources.add_discord(client, time.time)
    with database.write() as session:
        new_job(session, GUILD, model_name="Secret name")
        new_job(session, GUILD)
    metrics.failed(Failure.DATABASE)
    async with served(Readiness({}), metrics, sources.look) as watch:
        status, text = await page(watch, "/metrics")
        assert status == 200
        assert value(text, "pastiche_guilds") == 3
        assert value(text, "pastiche_gateway_connected") == 1
        assert value(text, 'pastiche_shard_latency_seconds{shard="0"}') == 0.05
        assert 'shard="1"' not in text
        assert value(text, 'pastiche_queue_jobs{state="queued"}') == 2
        assert 0 < value(text, "pastiche_queue_oldest_seconds") < 600
        assert value(text, "pastiche_disk_free_bytes") > 0
        assert value(text, "pastiche_database_up") == 1
        assert value(text, 'pastiche_failures_total{kind="database"}') == 1
        assert str(GUILD) not in text
        assert "Secret" not in text
        # The database is away: what was known of the queue is not repeated.
        database.dispose()
        (tmp_path / "pastiche.sqlite").unlink()
        text = (await page(watch, "/metrics"))[1]
        assert value(text, "pastiche_database_up") == 0
        assert 'pastiche_queue_jobs{state="queued"} NaN' in text


def test_two_bots_of_one_process_share_no_number():
    first, second = Metrics(), Metrics()
    first.guilds.set(7)
    first.transaction("write", 0.002)
    assert value(second.text().decode(), "pastiche_guilds") == 0
    assert "pastiche_database_seconds_count{" not in second.text().decode()
    assert value(first.text().decode(), 'pastiche_database_seconds_count{kind="write"}') == 1


def test_every_transaction_is_measured(tmp_path: Path):
    metrics = Metrics()
    url = f"sqlite:///{tmp_path}/pastiche.sqlite"
    migrations.upgrade(url)
    database = Database(url, metrics.transaction)
    with database.read():
        pass
    with pytest.raises(KeyError), database.write():
        raise KeyError
    text = metrics.text().decode()
    assert value(text, 'pastiche_database_seconds_count{kind="read"}') == 1
    assert value(text, 'pastiche_database_seconds_count{kind="write"}') == 1
