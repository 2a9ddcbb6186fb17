"""What the database takes for each statement, and for each command, with thousands of servers.

`python -m benchmarks.statements [SERVERS [URL URL]]` prints the slowest statements too. It measures on SQLite
in a temporary folder, or on two empty databases by their addresses: one gets few servers, the other many.
"""

from __future__ import annotations

import datetime
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.figures import Figure
from benchmarks.seeding import guild_id, seed
from bot.training.cards import card_data
from models import (
    Database,
    ServedShards,
    audit,
    guilds,
    personal_data,
    queue_order,
    retention,
    scheduled_posts,
    schedules,
    text_models,
    training_jobs,
)

SERVERS, FEW = 5_000, 10
BOUND_MS = 50
TIMES = 7
DAY = datetime.timedelta(days=1)

Work = Callable[[Session], object]


def commands(guild: int) -> dict[str, Work]:
    """Return what commands of a server ask the database."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "/generate": lambda s: (guilds.settings_of(s, guild), text_models.with_corpus(s, guild, None)),
        "/generate model:": lambda s: text_models.with_corpus(s, guild, "model 7"),
        "autocomplete": lambda s: text_models.names_starting(s, guild, "mod"),
        "/models": lambda s: text_models.listing(s, guild),
        "/train": lambda s: (training_jobs.listing(s, guild), training_jobs.asked_since(s, guild, now - DAY)),
        "/schedule list": lambda s: schedules.listing(s, guild),
        "/settings show": lambda s: (audit.listing(s, guild), audit.count(s, guild)),
        "/privacy show": lambda s: personal_data.counts(s, guild, guild),
    }


def looks(servers: int) -> dict[str, Work]:
    """Return what is looked for across servers: every few seconds, every hour, at a start."""
    now = datetime.datetime.now(datetime.UTC)
    half = ServedShards(2, frozenset({1}))
    some = [guild_id(number) for number in range(min(servers, 2_500))]
    return {
        "/jobs": lambda s: queue_order.order(s, training_jobs.unfinished(s)),
        "cards": lambda s: card_data.to_show(s, limit=50, without=[]),
        "cards of half the shards": lambda s: card_data.to_show(s, limit=50, without=[], served=half),
        "due posts": lambda s: schedules.due(s, now),
        "due posts of half the shards": lambda s: schedules.due(s, now + DAY, served=half),
        "posts under way": lambda s: scheduled_posts.ready(s, now, away=(), limit=100),
        "pauses to tell": lambda s: schedules.to_tell(s),
        "schedules after a jump of the clock": lambda s: schedules.active(s),
        "a turn of the queue": lambda s: queue_order.take(s, "turn"),
        "hidden words": lambda s: guilds.hidden_words(s),
        "marks of presence": lambda s: retention.presence_marks(s),
        "servers that came back": lambda s: guilds.came_back(s, some),
        "servers to greet": lambda s: guilds.arrived(s, some, now),
        "old servers": lambda s: retention.left_before(s, now - 30 * DAY),
        "old texts": lambda s: retention.expire_texts(s, now),
        "files to delete": lambda s: retention.removals(s),
        "a server's data deleted": lambda s: personal_data.erase_guild(s, guild_id(servers // 2)),
    }


class Undone(Exception):
    """Ends a transaction without a change."""


class Watch:
    """Times every statement of a database, from its begin until all its rows are there."""

    def __init__(self, database: Database) -> None:
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        self._database = database
        self._seen: list[tuple[str, Any, float]] = []
        engine = database._engine
        sa.event.listen(engine, "before_cursor_execute", self._begin)
        sa.event.listen(engine, "after_cursor_execute", self._end)

    def _begin(self, connection: sa.Connection, *_rest: object) -> None:
        connection.info["begun"] = time.perf_counter()

    def _end(
        self, connection: sa.Connection, _cursor: object, statement: str, parameters: Any, *_rest: object
    ) -> None:
        took_ms = (time.perf_counter() - connection.info["begun"]) * 1000
        self._seen.append((statement, parameters, took_ms))

    def run(self, name: str, work: Work) -> float:
        """Do the work in a transaction that changes nothing in the end; return the milliseconds it took."""
        self._seen.clear()
        begun = time.perf_counter()
        try:
            with self._database.write() as session:
                work(session)
                took_ms = (time.perf_counter() - begun) * 1000
                self._note(name, session)
                raise Undone
        except Undone:
            return took_ms

    def _note(self, name: str, session: Session) -> None:
        driver = session.connection().connection.driver_connection
        assert driver is not None  # noqa: S101 -- the session is in a transaction
        for statement, parameters, took_ms in list(self._seen):
            if statement.startswith(("SELECT", "WITH")):  # SQLite computes its rows while they are fetched
                begun = time.perf_counter()
                driver.cursor().execute(statement, parameters).fetchall()
                took_ms = (time.perf_counter() - begun) * 1000
            self.took_ms[f"{name}: {' '.join(statement.split())}"].append(took_ms)


def measure(few_url: str, many_url: str, servers: int) -> tuple[dict[str, float], float]:
    """Fill two databases, with few and with many servers.

    Returns:
        The milliseconds of every statement with many servers, and how many times as long as with few all
        commands together take.
    """
    seed(few_url, FEW)
    seed(many_url, servers)
    few, many = Database(few_url), Database(many_url)
    with_few, with_many = Watch(few), Watch(many)
    few_commands, many_commands = commands(guild_id(FEW // 2)), commands(guild_id(servers // 2))
    few_ms: dict[str, list[float]] = defaultdict(list)
    many_ms: dict[str, list[float]] = defaultdict(list)
    for _ in range(5 * TIMES):  # in turn, so that both meet the same other work of the machine
        for name in many_commands:
            few_ms[name].append(with_few.run(name, few_commands[name]))
            many_ms[name].append(with_many.run(name, many_commands[name]))
    for name, work in looks(servers).items():
        for _ in range(TIMES):
            with_many.run(name, work)
    few.dispose()
    many.dispose()
    # Other work of the machine only ever adds to a time, so the least of several counts.
    ratio = sum(map(min, many_ms.values())) / sum(map(min, few_ms.values()))
    return {statement: min(took) for statement, took in with_many.took_ms.items()}, ratio


def run() -> list[Figure]:
    """Measure on SQLite."""
    with tempfile.TemporaryDirectory(prefix="pastiche-bench-") as folder:
        figures, _statements = _figures([f"sqlite:///{Path(folder)}/{name}.sqlite" for name in "ab"], SERVERS)
    return figures


def _figures(urls: list[str], servers: int) -> tuple[list[Figure], dict[str, float]]:
    statements, ratio = measure(urls[0], urls[1], servers)
    name = f"{servers:,} servers × 20 models"
    slowest = max(statements.values())
    return [
        Figure(f"{name}: the slowest statement", slowest, "ms", f"≤ {BOUND_MS}"),
        Figure(f"{name}: the database's part of a command, to that of {FEW}", ratio, "×", "≤ 1.2"),
    ], statements


def main() -> None:
    """Print the slowest statements."""
    servers = int(sys.argv[1]) if len(sys.argv) > 1 else SERVERS
    with tempfile.TemporaryDirectory(prefix="pastiche-bench-") as folder:
        urls = sys.argv[2:4] or [f"sqlite:///{Path(folder)}/{name}.sqlite" for name in "ab"]
        figures, statements = _figures(urls, servers)
    for statement, took_ms in sorted(statements.items(), key=lambda item: -item[1])[:12]:
        print(f"{took_ms:8.2f} ms  {statement[:200]}")
    for figure in figures:
        print(f"{figure.value:8.2f} {figure.unit}  {figure.name}")


if __name__ == "__main__":
    main()
