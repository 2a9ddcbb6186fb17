"""The bot on a gateway of several shards: it connects as Discord recommends and notices what it missed."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
import yarl

from bot import app
from bot.app import create_bot
from bot.client import Pastiche
from bot.infra.discord import connection
from bot.infra.discord.identifying import IdentifyGate
from bot.settings import Settings, SettingsError
from models import guilds
from tests.support.bot.discord_server import DiscordServer, guild, guild_id_of
from tests.support.bot.gateway_server import PATH, listening
from tests.support.bot.processes import TOKEN
from tests.support.bot.trainings import until

COUNT = 3
IDS = [guild_id_of(shard, COUNT, number) for shard in range(COUNT) for number in range(2)]


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    made = DiscordServer()
    made.recommended = COUNT
    made.guilds = [guild(guild_id) for guild_id in IDS]
    async with listening(made):
        monkeypatch.setattr(discord.http.Route, "BASE", f"{made.url}{PATH}")
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL("ws://127.0.0.1:1"))
        yield made


@pytest.fixture
async def bot(server: DiscordServer, tmp_path: Path) -> AsyncIterator[Pastiche]:
    settings = Settings(_env_file=None, data_dir=tmp_path / "data", jobs="elsewhere")
    made = create_bot(settings)
    made.pool.start = lambda: None
    made._identifying = IdentifyGate(settings.database_url, made._max_concurrency, apart_s=0.05)
    made._connection.guild_ready_timeout = 0.2
    made.connect_as_recommended()
    async with made:
        serving = asyncio.create_task(connection.serve(made, TOKEN))
        await until(made.is_ready)
        yield made
        await made.close()
        await serving


async def test_it_connects_with_the_shards_that_discord_recommends(server: DiscordServer, bot: Pastiche):
    assert sorted(shard for _moment, shard in server.identifies) == list(range(COUNT))
    moments = sorted(moment for moment, _shard in server.identifies)
    assert all(later - earlier >= 0.04 for earlier, later in itertools.pairwise(moments))
    assert {each.id for each in bot.guilds} == set(IDS)
    assert all(bot.served.owns(guild_id) for guild_id in IDS)
    await until(lambda: bot.gateway.seen_at() is not None)


async def test_a_server_that_left_while_its_shard_had_no_session_is_noticed(
    server: DiscordServer, bot: Pastiche
):
    with bot.database.write() as session:
        for guild_id in IDS:
            guilds.edit(session, guild_id)
    gone = IDS[2]
    server.guilds = [each for each in server.guilds if each["id"] != str(gone)]
    # Discord ends the session for good: what happened meanwhile is not told any more.
    await server.shards[1].send_json({"op": 9, "s": None, "t": None, "d": False})

    def left() -> set[int]:
        with bot.database.read() as session:
            return {each for each in IDS if guilds.settings_of(session, each).removed_at is not None}

    await until(left)
    assert left() == {gone}
    assert bot.get_guild(gone) is None
    assert len(bot.guilds) == len(IDS) - 1
    assert await bot.presence.compare() == ([], [])


async def test_a_bot_whose_shard_another_process_serves_ends_with_the_reason(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(discord.http.Route, "BASE", "http://127.0.0.1:1/api/v10")  # Discord's own
    made: list[Pastiche] = []

    def create(settings: Settings) -> Pastiche:
        made.append(create_bot(settings))
        made[0].pool.start = lambda: None
        return made[0]

    monkeypatch.setattr(app, "create_bot", create)
    server.recommended = 1
    settings = Settings(
        _env_file=None, data_dir=tmp_path / "data", jobs="elsewhere", discord_api=f"{server.url}/api"
    )
    serving = asyncio.create_task(app._serve(settings, TOKEN))
    await until(lambda: made and made[0].is_ready())
    ended: list[bool] = []
    end = made[0]._end_processes

    def slowly() -> None:
        time.sleep(0.3)
        end()
        ended.append(True)

    monkeypatch.setattr(made[0], "_end_processes", slowly)
    reason = SettingsError("process 7 on there already serves shard 0 of 1")
    await asyncio.to_thread(made[0]._stop_for, reason)
    with pytest.raises(SettingsError, match="process 7 on there"):
        await serving
    assert ended  # so nothing of it is left that could still hold a lock or a turn
