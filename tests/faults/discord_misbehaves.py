"""1,000 sends to a Discord that fails at a fifth of them: every card is shown in the end, as it is, and once.

Among the faults are Discord's own 429 with its headers, the bare one of the network before it, 5xx,
connections that break, and confirmations that are lost after the message was taken.
"""

from __future__ import annotations

import asyncio
import collections
import random
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord

from benchmarks.figures import Figure
from bot.settings import Settings
from models import training_jobs
from tests.bot.training.test_cards_under_faults import GUILD, Cards
from tests.support.bot.fault_server import PATH, FaultServer, fault_server

MINUTES = 2.0
_FAULTS = ("limited", "limited", "limited globally", 429, 500, 502, 503, "reset", "lost", "lost")
_SHARE = 0.2
_AT_ONCE = 8
_HURRY = 20
"""How much faster the client's pauses go by."""
_PATIENCE = 300


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Show cards until there have been enough requests."""
    yield from asyncio.run(_measured(folder, 60 if short else 1_000))


async def _measured(folder: Path, requests: int) -> list[Figure]:
    discord.http.asyncio = _Hurried("asyncio")  # type: ignore[attr-defined]
    draw = random.Random(time.time_ns())
    settings = Settings(_env_file=None, data_dir=folder / "data")
    lost = doubled = shown = 0
    async with fault_server() as server:
        discord.http.Route.BASE = f"{server.url}{PATH}"
        server.retry_after_s = 0.05
        server.faults = collections.deque(
            draw.choice(_FAULTS) if draw.random() < _SHARE else None for _ in range(3 * requests)
        )
        faults = sum(1 for fault in list(server.faults)[:requests] if fault)
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.http.static_login("a.b.c")
            cards = Cards(settings, client, server)
            while len(server.requests) < requests:
                names = [f"Job-{shown + number:05}" for number in range(_AT_ONCE)]
                shown += _AT_ONCE
                missing, twice = await _show(cards, server, names)
                lost += missing
                doubled += twice
            cards.database.dispose()
    return [
        Figure(f"{len(server.requests):,} sends, {faults} faults: cards of {shown} lost", lost, "", "≤ 0"),
        Figure("cards doubled", doubled, "", "≤ 0"),
    ]


async def _show(cards: Cards, server: FaultServer, names: list[str]) -> tuple[int, int]:
    """Let jobs come, and fail; return how many cards lack their end, and how many are there twice."""
    before = set(server.messages)
    jobs = [cards.job(name) for name in names]
    await _until(cards, lambda: len(set(server.messages) - before) >= len(jobs))
    for number, job in enumerate(jobs):
        with cards.database.write() as session:
            training_jobs.fail(session, GUILD, job.id, attempt=job.attempt, error=f"reason {number}")
    await _until(cards, lambda: not _unshown(cards))
    found = [
        str(message["embeds"]) for message_id, message in server.messages.items() if message_id not in before
    ]
    ended = [name for name in names if any(name in card and "Failed" in card for card in found)]
    return len(names) - len(ended), max(0, len(found) - len(names))


def _unshown(cards: Cards) -> int:
    with cards.database.read() as session:
        return len(list(training_jobs.changed_cards(session)))


async def _until(cards: Cards, done: Any) -> None:
    for _ in range(_PATIENCE):
        await cards.editor.tick()
        if done():
            return
        await asyncio.sleep(0.02)


class _Hurried(types.ModuleType):
    """asyncio as the client sees it, with shorter pauses."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds: float, *rest: Any) -> Any:
        """Sleep a part of it."""
        return await asyncio.sleep(seconds / _HURRY, *rest)
