"""A small server that plays Discord's login and gateway, with outages to order."""

import asyncio
import collections
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from aiohttp import web

PATH = "/api/v10"
ME = {"id": "1", "username": "Pastiche", "discriminator": "0", "avatar": None, "bot": True}
APPLICATION = {
    "id": "1",
    "name": "Pastiche",
    "icon": None,
    "description": "",
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "",
    "flags": 0,
    "owner": ME,
    "summary": "",
    "team": None,
}
STARTS_WITHIN_S = 60.0
BLOCKED = "<html>error code: 1015</html>"


class GatewayServer:
    """Answers a login and identifies whoever connects.

    Attributes:
        faults: what happens to the next requests: a status, "blocked" (a 429 that is a web page) or "reset".
        refuses_with: the close code that the gateway answers IDENTIFY with.
        gone: whether the gateway takes no connection.
        identified: how many connections began.
        shards: the newest connection of each.
        identifies: when each began, in seconds of a clock that never goes back, and its shard.
        guilds: the servers that the bot is in, as GUILD_CREATE has them.
        recommended: how many shards it recommends.
        max_concurrency: how many may identify themselves at a time.
        commands: of the application, as they were last given.
    """

    def __init__(self) -> None:
        self.faults: collections.deque[int | str] = collections.deque()
        self.refuses_with: int | None = None
        self.gone = False
        self.identified = 0
        self.identifies: list[tuple[float, int]] = []
        self.guilds: list[dict[str, Any]] = []
        self.recommended = self.max_concurrency = 1
        self.commands: list[dict[str, Any]] = []
        self.url = self.gateway = ""
        self.shards: dict[int, web.WebSocketResponse] = {}
        self._sockets: list[web.WebSocketResponse] = []

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/gateway/", self._serve)
        application.router.add_route("*", PATH + "/{rest:.*}", self._answer)
        return application

    async def drop(self) -> None:
        """Break every connection, as a network does."""
        for socket in self._sockets:
            if socket._req is not None and socket._req.transport is not None:
                socket._req.transport.abort()
        self._sockets.clear()

    async def _answer(self, request: web.Request) -> web.Response:
        fault = self.faults.popleft() if self.faults else None
        if fault == "reset":
            assert request.transport is not None
            request.transport.abort()
        if fault == "blocked":
            return web.Response(status=429, text=BLOCKED, content_type="text/html")
        if isinstance(fault, int):
            return _json({"message": "no", "code": 0}, fault)
        if request.path.endswith("/commands"):
            if request.method == "PUT":
                self.commands = [
                    {"id": str(number), "application_id": "1", "version": "1", "type": 1, "description": ""}
                    | command
                    for number, command in enumerate(await request.json(), start=2)
                ]
            return _json(self.commands)
        if request.path.endswith("/gateway/bot"):
            limits = {"total": 1000, "remaining": 1000, "reset_after": 0}
            limits["max_concurrency"] = self.max_concurrency
            url = self.gateway
            return _json({"url": url, "shards": self.recommended, "session_start_limit": limits})
        return _json(APPLICATION if "applications" in request.path else ME)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.gone:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await socket.send_json({"op": 10, "s": None, "t": None, "d": {"heartbeat_interval": 41250}})
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            said = json.loads(message.data)
            op = said["op"]
            if op == 1:
                await socket.send_json({"op": 11, "s": None, "t": None, "d": None})
            elif op in (2, 6) and self.refuses_with is not None:
                await socket.close(code=self.refuses_with, message=b"no")
            elif op == 6:
                await socket.send_json({"op": 0, "s": 2, "t": "RESUMED", "d": {}})
            elif op == 2:
                self.identified += 1
                shard, count = said["d"].get("shard", (0, 1))
                self.identifies.append((time.monotonic(), shard))
                theirs = [guild for guild in self.guilds if (int(guild["id"]) >> 22) % count == shard]
                ready = {
                    "v": 10,
                    "user": ME,
                    "shard": [shard, count],
                    "guilds": [{"id": guild["id"], "unavailable": True} for guild in theirs],
                    "session_id": "s",
                    "application": {"id": "1", "flags": 0},
                    "resume_gateway_url": self.gateway,
                }
                await socket.send_json({"op": 0, "s": 1, "t": "READY", "d": ready})
                for guild in theirs:
                    await socket.send_json({"op": 0, "s": 1, "t": "GUILD_CREATE", "d": guild})
                self.shards[shard] = socket
        return socket


def _json(data: Any, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(data).encode(), status=status, content_type="application/json")


@contextlib.asynccontextmanager
async def listening(server: GatewayServer) -> AsyncIterator[None]:
    """Serve on loopback."""
    runner = web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    server.url, server.gateway = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/gateway/"
    try:
        yield
    finally:
        await server.drop()
        await asyncio.sleep(0)
        await runner.cleanup()


@contextlib.contextmanager
def listening_apart(server: GatewayServer) -> Iterator[None]:
    """Serve on loopback from a thread, for tests that wait without an event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="discord", daemon=True)
    thread.start()
    serving = listening(server)
    asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(STARTS_WITHIN_S)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(STARTS_WITHIN_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.asynccontextmanager
async def gateway_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GatewayServer]:
    """The server, which discord.py takes for Discord."""
    server = GatewayServer()
    async with listening(server):
        monkeypatch.setattr(discord.http.Route, "BASE", f"{server.url}{PATH}")
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway))
        yield server
