"""What tests of trainings share: asking for one, watching it, and trainers that need no time."""

import asyncio
import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import discord
import psutil
import pytest

from bot.training.jobs import workflows
from bot.training.trainer.process import Stop, TrainingEnd, TrainingOrder
from models import AuditEvent, TrainingJob, audit, training_jobs
from tests.support.bot.world import Place, World, shown
from tests.support.patience import PATIENCE_S

LONG = 30.0
"""Minutes that no test waits for: it is ended by Finish now or Cancel, however busy the machine is."""


async def train(place: Place, text: str | bytes, actor: Any = None, **options: Any) -> Any:
    data = text.encode() if isinstance(text, str) else text
    given = {"name": "Hamlet", "corpus": ("hamlet.txt", data), "rights": True, "minutes": LONG} | options
    return await (actor or place.admin).slash(place.channel, "train", **given)


async def finish_now(world: World, place: Place) -> discord.Message:
    """Let a training take its first steps, then end it by its button, if it has not ended by then."""
    card = await world.until(place, *(f"Validation loss\n{nats}" for nats in range(7)), "Failed")
    if "Done" in shown(card):
        return card
    assert "Training" in shown(card)
    await place.admin.click(card, label="Finish now")
    done = await world.until(place, "Done", "Failed")
    assert "Done" in shown(done)
    return done


async def until(what: Callable[[], object]) -> None:
    """Let real time go on until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def jobs(world: World, place: Place) -> list[TrainingJob]:
    with world.bot.database.read() as session:
        return list(training_jobs.listing(session, place.guild.id))


def trail(world: World, place: Place) -> list[AuditEvent]:
    """What was recorded, the oldest first."""
    with world.bot.database.read() as session:
        return list(reversed(audit.listing(session, place.guild.id)))


def training_processes() -> list[psutil.Process]:
    """The trainers that run below this process."""
    running = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it ended in between
            if "train" in child.cmdline():
                running.append(child)
    return running


def files_below(folder: Path) -> list[Path]:
    """List all files, also while a process removes some: `Path.rglob` fails at a folder that is just gone."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


def stored_files(world: World) -> list[Path]:
    return files_below(world.settings.data_dir / "guilds")


def labels(message: Any) -> list[str]:
    return [item.label for row in message.components for item in row.children]


class Trainers:
    """In the place of the trainer process: each order waits until it is let go, and gives a ready model."""

    def __init__(self, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.orders: list[TrainingOrder] = []
        self._bundle = bundle
        self._go = threading.Semaphore(0)
        monkeypatch.setattr(workflows, "run_trainer", self._run)

    def let_go(self, count: int = 1) -> None:
        self._go.release(count)

    def _run(
        self,
        order: TrainingOrder,
        *,
        on_event: Callable[[dict[str, Any]], None],
        should_stop: Callable[[], Stop | None],
    ) -> TrainingEnd:
        self.orders.append(order)
        on_event({"event": "started", "resumed": False})
        on_event({"event": "progress", "fraction": 0.25, "loss": 2.5, "eta_s": 90.0})
        while not self._go.acquire(timeout=0.1):
            stop = should_stop()
            if stop in (Stop.CANCEL, Stop.SHUTDOWN):
                return TrainingEnd(stopped=stop)
        shutil.copytree(self._bundle, order.bundle)
        return TrainingEnd(finished={"event": "finished"})


@pytest.fixture
def trainers(trained_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Trainers:
    return Trainers(trained_bundle, monkeypatch)
