from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import simcord

from bot.client import Pastiche
from bot.demo.playground import simulated_bot
from bot.infra.settings import Settings
from tests.support.bot.schedules import Clock
from tests.support.bot.trainings import trainers
from tests.support.bot.world import Place, World

__all__ = ["trainers"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data", jobs_poll_s=0.2, training_threads=1)


@pytest.fixture
def simcord_bot(settings: Settings) -> Pastiche:
    """What SimCord's own fixture `simcord_env` starts."""
    return simulated_bot(settings)


@pytest.fixture
async def world(simcord_env: simcord.Env, settings: Settings) -> AsyncIterator[World]:
    world = World(simcord_env, settings)
    yield world
    await world.bot.close()


@pytest.fixture
def stratford(world: World, trained_bundle: Path) -> Place:
    """A server with a model named Bard."""
    place = world.place("Stratford")
    world.give_model(place, trained_bundle, "Bard")
    return place


@pytest.fixture
def abbey(world: World, trained_bundle: Path) -> Place:
    """Another server, with a model named Monk."""
    place = world.place("Abbey")
    world.give_model(place, trained_bundle, "Monk")
    return place


@pytest.fixture
def clock(world: World) -> Clock:
    """The clock of schedules, set by hand."""
    return Clock(world)
