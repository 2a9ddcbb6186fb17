"""While the database server is away, commands say so in time; afterwards everything goes on."""

import time
from pathlib import Path

import pytest

from bot.settings import Settings
from tests.support.bot.trainings import train
from tests.support.bot.world import World, private_line
from tests.support.postgresql import PostgresServer

pytestmark = pytest.mark.slow

FIRST_ANSWER_S = 3.0


@pytest.fixture
def settings(own_server: PostgresServer, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        database_url=own_server.new_database(),
        jobs="elsewhere",
    )


async def test_commands_say_within_three_seconds_that_the_database_is_away(
    world: World, own_server: PostgresServer, corpus_text: str
):
    place = world.place()
    assert "is in the queue" in private_line(await train(place, corpus_text))
    own_server.crash()
    for name in ("models", "jobs", "settings show", "train"):
        took = []
        for _ in range(3):
            begun = time.monotonic()
            answered = await (
                train(place, corpus_text, name="In the outage")
                if name == "train"
                else place.admin.slash(place.channel, name)
            )
            took.append(time.monotonic() - begun)
            assert private_line(answered) == (
                "The bot's database cannot be used at this moment. Please try again later."
            )
        assert min(took) < FIRST_ANSWER_S, "not even once, on a machine however busy"
    own_server.start()
    assert "is in the queue" in private_line(await train(place, corpus_text, name="Afterwards"))
    assert [turn.status for turn in world.bot.queue._turns({"ENQUEUED"})] == ["ENQUEUED"] * 2
