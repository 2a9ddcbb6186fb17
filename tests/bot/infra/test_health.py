import asyncio
import errno
import json
import os
import threading
import time
from pathlib import Path

import pytest

from bot.infra import health
from bot.infra.paths import Layout
from bot.settings import Settings

WELL = {"ready": True, "lag_p99_ms": 1.5}
HOUR_AGO = object()
"""Stands for a time that is reckoned when the test runs, which may be long after it was collected."""


def write(path: Path, **beat: object) -> None:
    now = time.time()
    beat = {name: now - 3600 if value is HOUR_AGO else value for name, value in beat.items()}
    path.write_text(json.dumps({"pid": os.getpid(), "time": now} | WELL | beat))


def test_a_fresh_heartbeat_is_well(settings: Settings, tmp_path: Path):
    write(tmp_path / "beat")
    assert "answers within 1.5 ms" in health.check(settings, [tmp_path / "beat"])


@pytest.mark.parametrize(
    ("beat", "says"),
    [
        ({"time": HOUR_AGO}, r"has not answered for 36\d\d s"),
        ({"pid": 2**22 - 1}, "is gone"),
        ({"ready": False}, "is not connected"),
        ({"connected_at": None}, "is not connected"),
        ({"connected_at": HOUR_AGO}, r"has had no connection to Discord for 36\d\d s"),
        ({"pid": "x"}, "cannot be read"),
    ],
)
def test_anything_else_is_not(settings: Settings, tmp_path: Path, beat: dict, says: str):
    write(tmp_path / "beat", **beat)
    with pytest.raises(health.Unhealthy, match=says):
        health.check(settings, [tmp_path / "beat"])


def test_all_that_runs_on_this_host_must_be_well(settings: Settings, tmp_path: Path):
    """A folder may be shared: a process on another host is asked there."""
    layout = Layout(tmp_path)
    write(layout.heartbeat_of("bot", ""))
    write(layout.heartbeat_of("worker", ""), kind="worker", needs="database and queue")
    write(layout.heartbeat_of("worker", "elsewhere"), kind="worker", host="elsewhere", time=HOUR_AGO)
    bot, worker = health.check(settings, layout.heartbeats()).splitlines()
    assert worker.startswith(f"the worker (process {os.getpid()}) is well")
    assert bot.startswith(f"the bot (process {os.getpid()}) is well")
    write(layout.heartbeat_of("worker", ""), kind="worker", needs="database and queue", connected_at=HOUR_AGO)
    with pytest.raises(health.Unhealthy, match=r"the worker .* no connection to database and queue for 36"):
        health.check(settings, layout.heartbeats())


def test_where_nothing_runs_check_says_so(settings: Settings, tmp_path: Path):
    write(Layout(tmp_path).heartbeat_of("bot", "a"), host="elsewhere")
    with pytest.raises(health.Unhealthy, match="no bot is running on"):
        health.check(settings, Layout(tmp_path).heartbeats())


def test_who_leaves_without_closing_the_bot_is_noticed(tmp_path: Path):
    left = threading.Event()

    async def run() -> None:
        health.Heartbeat(tmp_path / "beat", lambda: True, left.set).start(asyncio.get_running_loop())

    asyncio.run(run())
    assert left.wait(5)
    assert not (tmp_path / "beat").exists()


async def test_a_blocked_loop_shows_as_lag_and_then_as_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "WRITE_EVERY_S", 0.1)
    monkeypatch.setattr(health, "ASK_EVERY_S", 0.02)
    heart = health.Heartbeat(tmp_path / "beat", lambda: True)
    heart.start(asyncio.get_running_loop())
    await asyncio.sleep(0.5)
    assert heart.lag_s(0.99) < 0.1
    before = (tmp_path / "beat").stat().st_mtime_ns
    time.sleep(0.4)  # noqa: ASYNC251 - blocking the loop is the point
    assert (tmp_path / "beat").stat().st_mtime_ns - before < 0.25e9
    await asyncio.sleep(0.2)
    assert heart.lag_s(0.999) > 0.2
    await asyncio.to_thread(heart.stop)
    assert not (tmp_path / "beat").exists()


async def test_a_disk_without_room_costs_beats_and_not_the_heart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(health, "WRITE_EVERY_S", 0.05)
    monkeypatch.setattr(health, "ASK_EVERY_S", 0.02)
    full = True
    write = health.write_bytes

    def write_if_room(path: Path, data: bytes, *, durable: bool) -> None:
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, data, durable=durable)

    monkeypatch.setattr(health, "write_bytes", write_if_room)
    heart = health.Heartbeat(tmp_path / "beat", lambda: True)
    heart.start(asyncio.get_running_loop())
    await asyncio.sleep(0.3)
    assert not (tmp_path / "beat").exists()
    full = False
    await asyncio.sleep(0.3)
    assert (tmp_path / "beat").exists()
    await asyncio.to_thread(heart.stop)
