"""Outages are waited for, refusals end in one line, and lost connections are told."""

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import discord
import pytest
from discord import app_commands

from bot.infra.discord import command_sync, connection, gateway
from bot.infra.discord.command_sync import keep_synced
from bot.infra.discord.connection import ConnectionRefused, serve
from bot.infra.discord.gateway import Gateway
from bot.infra.logs import OneLineOutages
from tests.support.bot.gateway_server import GatewayServer, gateway_server
from tests.support.bot.processes import TOKEN
from tests.support.patience import PATIENCE_S


class Client(discord.AutoShardedClient):
    """A client that knows of its connection what the bot does."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.none(), shard_count=1)
        self.tree = app_commands.CommandTree(self)
        self.gateway = Gateway(self)
        self.set_up = 0

    async def setup_hook(self) -> None:
        self.set_up += 1

    async def on_shard_ready(self, shard_id: int) -> None:
        self.gateway.established(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        self.gateway.established(shard_id)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        self.gateway.lost(shard_id)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GatewayServer]:
    for module in (connection, command_sync):
        monkeypatch.setattr(module, "delays", lambda: itertools.repeat(0.01))
    monkeypatch.setattr(connection, "BLOCKED_DELAY_S", 0.02)
    async with gateway_server(monkeypatch) as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as made:
        yield made


async def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "faults", [[503], [503, 503, 503], ["blocked"], ["reset"], ["reset", 503, "blocked", 429], []], ids=str
)
async def test_an_outage_at_the_start_is_waited_for(
    server: GatewayServer, client: Client, faults: list[int | str]
):
    server.faults.extend(faults)
    serving = asyncio.create_task(serve(client, TOKEN))
    await until(client.is_ready)
    assert client.set_up == 1, "services are started once"
    await client.close()
    await serving


async def test_a_name_that_is_not_found_is_waited_for(
    server: GatewayServer, client: Client, monkeypatch: pytest.MonkeyPatch
):
    reached = discord.http.Route.BASE
    monkeypatch.setattr(discord.http.Route, "BASE", "http://127.0.0.1:1/api")
    serving = asyncio.create_task(serve(client, TOKEN))
    await asyncio.sleep(0.1)
    assert not serving.done()
    monkeypatch.setattr(discord.http.Route, "BASE", reached)
    await until(client.is_ready)
    await client.close()
    await serving


@pytest.mark.parametrize(("status", "says"), [(401, "DISCORD_TOKEN"), (403, "403"), (400, "400")])
async def test_a_refused_login_is_one_line(server: GatewayServer, client: Client, status: int, says: str):
    server.faults.append(status)
    with pytest.raises(ConnectionRefused, match=says) as refused:
        await serve(client, TOKEN)
    assert "\n" not in str(refused.value)
    assert client.set_up == 0


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (4004, "DISCORD_TOKEN"),
        (4010, "check PASTICHE_SHARDS and PASTICHE_SHARD_IDS"),
        (4011, "2,500 each"),
        (4012, "newer version"),
        (4013, "newer version"),
        (4014, "Privileged Gateway Intents"),
    ],
)
async def test_a_close_code_that_ends_it_is_one_line(
    server: GatewayServer, client: Client, code: int, says: str
):
    server.refuses_with = code
    with pytest.raises(ConnectionRefused, match=says) as refused:
        await serve(client, TOKEN)
    assert "\n" not in str(refused.value)


async def test_a_connection_that_is_lost_and_comes_back_is_followed(server: GatewayServer, client: Client):
    assert client.gateway.seen_at() is None
    serving = asyncio.create_task(serve(client, TOKEN))
    await until(lambda: client.gateway.seen_at() is not None)
    server.gone = True
    await server.drop()
    await until(lambda: not client.gateway._established)
    seen = client.gateway.seen_at()
    assert seen is not None
    await asyncio.sleep(0.05)
    assert client.gateway.seen_at() == seen, "the time stands still while Discord is away"
    server.gone = False
    await until(lambda: client.gateway.seen_at() != seen)
    await client.close()
    await serving


async def test_a_silent_connection_counts_as_lost_since_it_fell_silent(
    server: GatewayServer, client: Client, monkeypatch: pytest.MonkeyPatch
):
    serving = asyncio.create_task(serve(client, TOKEN))
    await until(lambda: client.gateway.seen_at() is not None)
    monkeypatch.setattr(gateway, "SILENCE_S", 100.0)
    keep_alive = client.get_shard(0)._parent.ws._keep_alive
    keep_alive._last_recv -= 50
    assert time.time() - client.gateway.seen_at() < 1
    keep_alive._last_recv -= 100
    assert 140 < time.time() - client.gateway.seen_at() < 200
    await client.close()
    await serving


@pytest.mark.parametrize("faults", [[503], ["blocked", 503], ["reset"], [400]], ids=str)
async def test_commands_that_cannot_be_synced_are_synced_later(
    server: GatewayServer, client: Client, tmp_path: Path, faults: list[int | str]
):
    await client.login(TOKEN)
    client.tree.add_command(app_commands.Command(name="hello", description="Hello.", callback=hello))
    server.faults.extend(faults)
    await keep_synced(client.tree, tmp_path / "hash")
    assert [command["name"] for command in server.commands] == ["hello"]
    assert (tmp_path / "hash").exists()


async def test_a_hash_that_cannot_be_kept_costs_no_second_sync(
    server: GatewayServer, client: Client, tmp_path: Path
):
    (tmp_path / "file").touch()
    await client.login(TOKEN)
    await keep_synced(client.tree, tmp_path / "file" / "hash")


async def hello(interaction: discord.Interaction) -> None: ...


def test_delays_grow_and_stay_below_their_bound():
    waits = list(itertools.islice(connection.delays(1, 60), 12))
    assert all(
        0.75 * low <= wait <= 1.25 * low for low, wait in zip((1, 2, 4, 8, 16, 32), waits, strict=False)
    )
    assert max(waits) <= 75


def test_an_outage_that_discord_py_waits_for_is_logged_in_one_line():
    try:
        raise ConnectionResetError(104, "Connection reset by peer")
    except ConnectionResetError as error:
        info = (type(error), error, error.__traceback__)
        record = logging.LogRecord("discord.client", logging.ERROR, "", 1, "Reconnect in %.2fs", (1.5,), info)
    assert OneLineOutages().filter(record)
    assert record.exc_info is None
    assert record.getMessage() == "Reconnect in 1.50s: [Errno 104] Connection reset by peer"
