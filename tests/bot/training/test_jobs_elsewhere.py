"""A bot that leaves the trainings to other processes still posts its schedules by itself."""

from pathlib import Path

import pytest

from bot.settings import Settings
from models import PostState
from tests.support.bot.schedules import Clock, ended, save
from tests.support.bot.world import World


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data", jobs_poll_s=0.2, jobs="elsewhere")


@pytest.mark.slow
async def test_it_posts_without_a_queue_of_its_own(world: World, trained_bundle: Path):
    clock, place = Clock(world), world.place()
    world.give_model(place, trained_bundle)
    schedule = await save(world, place)
    await clock.at(schedule.next_slot)
    assert await ended(world, place, schedule.id) == [PostState.SENT]
