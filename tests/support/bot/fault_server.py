"""A small server that plays the part of Discord's API and file hosts that misbehaves.

Faults are put in a row; each request takes the next one, and after the last all is well.
"""

import asyncio
import collections
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

PATH = "/api/v10"
ME = {"id": "1", "username": "Pastiche", "discriminator": "0", "avatar": None, "bot": True}


class FaultServer:
    """Keeps messages as Discord would, and forgets none that it has accepted.

    Attributes:
        faults: what happens to the next requests for messages: None, a status, or "reset" (the connection
            breaks before the request is carried out), "lost" (after it), "limited" or "limited globally" (429
            with the headers of Discord itself; the bare 429 is that of the network before it).
        retry_after_s: what a 429 asks for.
        archived: whether the thread is, until a message is sent.
        embeds_nothing: as in a channel without Embed Links, of messages of embeds nothing is left.
        most_bytes: a larger request is refused by 413.
        messages: content by id.
        requests: method and path of all that came.
        files: what `/files/NAME` gives: a size in bytes, or None for one that never ends.
    """

    def __init__(self) -> None:
        self.faults: collections.deque[int | str | None] = collections.deque()
        self.retry_after_s = 0.2
        self.archived = self.embeds_nothing = False
        self.most_bytes = 10_000_000
        self.messages: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.sent_bytes = 0
        self.url = ""
        self._nonces: dict[str, str] = {}

    def application(self) -> web.Application:
        application = web.Application(client_max_size=1 << 26)
        application.router.add_get(f"{PATH}/users/@me", self._me)
        application.router.add_get(f"{PATH}/guilds/{{guild}}/members/{{member}}", self._member)
        application.router.add_post(f"{PATH}/channels/{{channel}}/messages", self._message)
        application.router.add_patch(f"{PATH}/channels/{{channel}}/messages/{{message}}", self._message)
        application.router.add_get("/files/{kind}", self._file)
        return application

    async def _me(self, request: web.Request) -> web.Response:
        return _json(ME)

    async def _member(self, request: web.Request) -> web.Response:
        return _json({"message": "Unknown Member", "code": 10007}, status=404)

    async def _message(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.path))
        fault = self.faults.popleft() if self.faults else None
        if fault == "reset":
            return self._break(request)
        if fault in ("limited", "limited globally"):
            return self._limited(everywhere=fault == "limited globally")
        if fault == 429:
            body = {
                "message": "You are being rate limited.",
                "retry_after": self.retry_after_s,
                "global": False,
            }
            # Discord's own answers have "Via"; one without it would be taken for a ban.
            headers = {"Retry-After": str(self.retry_after_s), "Via": "1.1 google"}
            return _json(body, status=429, headers=headers)
        if isinstance(fault, int):
            return _json({"message": "no", "code": 0}, status=fault)
        if self.archived and request.method == "PATCH":
            return _json({"message": "Thread is archived", "code": 50083}, status=400)
        content, size = await _content(request)
        if self.embeds_nothing and not content.get("content"):
            return _json({"message": "Cannot send an empty message", "code": 50006}, status=400)
        self.archived = False
        if size > self.most_bytes:
            return _json({"message": "Request entity too large", "code": 40005}, status=413)
        message = self._keep(request.match_info.get("message"), request.match_info["channel"], content, size)
        if fault == "lost":
            return self._break(request)
        return _json(message)

    def _limited(self, *, everywhere: bool) -> web.Response:
        """Refuse as Discord does; https://docs.discord.com/developers/topics/rate-limits."""
        wait = f"{self.retry_after_s:.3f}"
        headers = {"Retry-After": wait, "Via": "1.1 google", "X-RateLimit-Scope": "user"}
        if everywhere:
            headers["X-RateLimit-Global"] = "true"
        else:
            headers |= {
                "X-RateLimit-Limit": "5",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": f"{time.time() + self.retry_after_s:.3f}",
                "X-RateLimit-Reset-After": wait,
                "X-RateLimit-Bucket": "80c17d2f203122d936070c88c8d10f33",
            }
        body = {
            "message": "You are being rate limited.",
            "retry_after": self.retry_after_s,
            "global": everywhere,
        }
        return _json(body, status=429, headers=headers)

    def _keep(
        self, message_id: str | None, channel: str, content: dict[str, Any], size: int
    ) -> dict[str, Any]:
        nonce = content.get("nonce")
        if message_id is None:
            message_id = self._nonces.get(nonce or "") or str(1000 + len(self.messages))
        if nonce and content.get("enforce_nonce"):
            self._nonces[nonce] = message_id
        kept = self.messages.setdefault(message_id, {"id": message_id, "channel_id": channel})
        kept.update({name: content[name] for name in ("content", "embeds", "components") if name in content})
        kept["size"] = size
        return {
            "content": "",
            "attachments": [],
            "embeds": [],
            "components": [],
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": False,
            "tts": False,
            "type": 0,
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "author": ME,
            "flags": 0,
            **{name: value for name, value in kept.items() if name != "size"},
        }

    def _break(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        if kind == "moved":
            raise web.HTTPFound(f"{self.url}/files/endless")
        if kind == "gone":
            raise web.HTTPNotFound
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await response.write(b"To be, or not to be.\n" * 100)
            if kind == "breaks":
                return self._break(request)
            if kind == "silent":
                await asyncio.sleep(60)
            while kind == "endless":
                await response.write(b"and so on\n" * 10_000)
                self.sent_bytes += 100_000
        return response


def _json(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # discord.py reads JSON only where the type names no charset.
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


async def _content(request: web.Request) -> tuple[dict[str, Any], int]:
    if request.content_type == "application/json":
        body = await request.read()
        return await request.json(), len(body)
    content: dict[str, Any] = {}
    size = 0
    async for part in await request.multipart():
        data = await part.read()
        size += len(data)
        if part.name == "payload_json":
            content = json.loads(data)
    return content, size


@contextlib.asynccontextmanager
async def fault_server() -> AsyncIterator[FaultServer]:
    server = FaultServer()
    runner = web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
