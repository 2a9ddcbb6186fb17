import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import simcord

import migrations
from bot.client import Pastiche
from bot.demo.playground import simulated_bot
from bot.settings import Settings
from tests.support.bot import forked_samplers
from tests.support.bot.schedules import Clock
from tests.support.bot.trainings import trainers
from tests.support.bot.world import Place, World

__all__ = ["trainers"]

SETTLE_S = 60.0
"""How long the bot may take to answer: on a busy machine, more than SimCord's five seconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "simcord_env" in getattr(item, "fixturenames", ()) and item.get_closest_marker("simcord") is None:
            item.add_marker(pytest.mark.simcord(settle_timeout=SETTLE_S))


@pytest.fixture(autouse=True)
def samplers_are_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samplers are there at once; a test that looks at how the bot starts them has a fixture of this name."""
    monkeypatch.setattr("bot.generation.sampler.start_child", forked_samplers.start)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data", jobs_poll_s=0.2, training_threads=1)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the current tables and no rows."""
    path = tmp_path_factory.mktemp("migrated") / "pastiche.sqlite"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def simcord_bot(settings: Settings, migrated: Path) -> Pastiche:
    """What SimCord's own fixture `simcord_env` starts.

    It finds its tables there, and starts a sampler when the first text is asked for: to make either anew
    takes longer than most tests.
    """
    settings.prepare_data_dir()
    database = settings.data_dir / "pastiche.sqlite"
    if settings.database_url == f"sqlite:///{database}" and not database.exists():
        shutil.copy(migrated, database)
    bot = simulated_bot(settings)
    bot.pool.start = lambda: None
    return bot


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
