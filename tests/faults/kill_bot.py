"""kill -9 of the bot at 25 random moments of a training and posts: one job, one model, one post a slot."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.figures import Figure
from models import Database, JobState, PostState, scheduled_posts, schedules, text_models, training_jobs
from tests.faults.harness import ROOT
from tests.faults.tools import trainings
from tests.faults.tools.bot_process import MODEL
from tests.support.bot.posting_process import GUILD, SLOT
from tests.support.textgen.bundles import write_random_bundle

MINUTES = 5.0
WAITS = True
_KILLS_A_SLOT = 5
"""So often the bot is killed within the minutes in which Discord remembers a nonce."""
_LONGEST_LIFE_S = 9.0
_LONGEST_SHORT_LIFE_S = 4.0
_PATIENCE_S = 150.0


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Kill it again and again, then let it end what it has begun."""
    kills = 1 if short else 25
    data, bundle = folder / "data", folder / "bundle"
    write_random_bundle(bundle)
    draw = random.Random(time.time_ns())
    most_trainers = 0
    for kill in range(kills):
        day, within = divmod(kill, _KILLS_A_SLOT)
        process = _start(folder, _now(day, within), finish=False)
        end = time.monotonic() + draw.uniform(0.5, _LONGEST_SHORT_LIFE_S if short else _LONGEST_LIFE_S)
        if kill == 0 or short:
            _until_it_serves(process)
        while time.monotonic() < end and process.poll() is None:
            most_trainers = max(most_trainers, len(_trainers(data)))
            time.sleep(0.2)  # looking at every process of the machine takes milliseconds
        assert process.poll() is None, (folder / "said.txt").read_text()[-2000:]
        if within == _KILLS_A_SLOT - 1:
            _until_it_has_posted(data, day + 1)
        process.kill()
        process.communicate()
        # An orphaned trainer sees that nobody listens; the next bot waits for its lock.
    day, within = divmod(kills, _KILLS_A_SLOT)
    begun = time.monotonic()
    process = _start(folder, _now(day, within), finish=True)
    try:
        process.communicate(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
    yield from _figures(data, kills, most_trainers, time.monotonic() - begun)


def _now(day: int, within: int) -> str:
    return (SLOT + datetime.timedelta(days=day, seconds=2 + 20 * within)).isoformat()


def _start(folder: Path, now: str, *, finish: bool) -> subprocess.Popen[bytes]:
    command = ["-m", "tests.faults.tools.bot_process", str(folder / "data"), str(folder / "bundle"), now]
    with (folder / "said.txt").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, *command, "yes" if finish else "no"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=said,
            env=os.environ | trainings.ONE_THREAD,
        )


def _until_it_serves(process: subprocess.Popen[bytes]) -> None:
    """Wait until the training and the schedule are recorded, as they are from the first life on."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == b"serves":
            return


def _until_it_has_posted(data: Path, slots: int) -> None:
    """Wait until so many slots have ended: what comes later than Discord's memory would count as missed."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.closing(sqlite3.connect(data / "pastiche.sqlite")) as connection:
            rows = connection.execute("select state from scheduled_post").fetchall()
        if len(rows) >= slots and all(state not in ("due", "sending") for (state,) in rows):
            return
        time.sleep(0.1)


def _trainers(data: Path) -> list[int]:
    """Return the ids of trainers that work on this data and have been started by a living bot."""
    found = []
    for process in psutil.process_iter(["cmdline", "ppid"]):
        words = process.info["cmdline"] or []
        if "train" in words and any(str(data) in word for word in words) and process.info["ppid"] != 1:
            found.append(process.pid)
    return found


def _figures(data: Path, kills: int, most_trainers: int, seconds: float) -> Iterator[Figure]:
    database = Database(f"sqlite:///{data}/pastiche.sqlite")
    with database.read() as session:
        jobs = [*training_jobs.listing(session, GUILD), *training_jobs.recent(session, GUILD, 99)]
        models = [model for model in text_models.listing(session, GUILD) if model.name == MODEL]
        (schedule,) = schedules.listing(session, GUILD)
        posts = list(scheduled_posts.listing(session, GUILD, schedule.id))
    database.dispose()
    sent = [json.loads(line)["nonce"] for line in (data / "discord.jsonl").read_text().splitlines()]
    lost = sum(job.state is not JobState.DONE for job in jobs)
    print([(job.state, job.error) for job in jobs], [post.state for post in posts], sent)
    recorded = sum(post.state is PostState.SENT for post in posts)
    yield Figure(f"{kills} × kill -9 of the bot: jobs lost", lost, "", "≤ 0")
    yield Figure("jobs or models doubled", len(jobs) + len(models) - 2, "", "≤ 0")
    yield Figure("trainers at once", most_trainers, "", "≤ 1")
    yield Figure(f"posts of {len(posts)} slots lost", len(posts) - recorded, "", "≤ 0")
    yield Figure("posts doubled", len(sent) - len(set(sent)) + max(0, len(sent) - len(posts)), "", "≤ 0")
    yield Figure("trained to its end after the last kill within", seconds, "s", "≤ 150")
