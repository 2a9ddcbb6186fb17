"""Names that programs of others rely on: simulators, checks, bots that are started from code."""

from pathlib import Path

import pytest
from discord.ext import commands

from bot.app import create_bot
from bot.demo import simulated_bot
from bot.settings import Settings


@pytest.mark.parametrize("make", [create_bot, simulated_bot])
async def test_a_bot_is_made_from_settings_given_as_keywords(make, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'own.sqlite'}"
    bot = make(Settings(_env_file=None, data_dir=tmp_path, database_url=url, discord_token="none"))
    assert isinstance(bot, commands.Bot | commands.AutoShardedBot)
    assert not bot.is_ready()
    await bot.close()
