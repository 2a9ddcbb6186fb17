"""Serves `/metrics`, `/healthz` and `/readyz` on the address that the host chose.

The server runs in the event loop that it tells about: `/healthz` answers as long as the loop does. Whoever
can reach the address may ask as often and as slowly as they like, so connections are few and short.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

from aiohttp import web

from bot.infra.watching.metrics import CONTENT_TYPE, Metrics
from bot.infra.watching.readiness import WELL, Readiness
from bot.settings import SettingsError

MOST_CONNECTIONS = 32
CONNECTION_S = 30.0


class WatchServer:
    """The three pages, served while an ``async with`` block runs.

    Args:
        address: host and port.
        metrics: of this process.
        readiness: the parts that must answer.
        look: brings metrics up to date that are read only when somebody asks.

    Raises:
        SettingsError: at the start of the block: the address is not of this host, or the port is taken or
            forbidden.
    """

    def __init__(
        self,
        address: tuple[str, int],
        metrics: Metrics,
        readiness: Readiness,
        look: Callable[[], Awaitable[None]],
    ) -> None:
        self._host, self._port = address
        self._metrics = metrics
        self._readiness = readiness
        self._look = look
        self._looking = asyncio.Lock()
        application = web.Application(client_max_size=1024)
        application.router.add_get("/metrics", self._show_metrics)
        application.router.add_get("/healthz", self._show_health)
        application.router.add_get("/readyz", self._show_readiness)
        self._runner = web.AppRunner(
            application, access_log=None, keepalive_timeout=CONNECTION_S, shutdown_timeout=1.0
        )
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._listener is not None  # noqa: S101 -- it has been started
        return int(self._listener.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                self._connection, self._host, self._port
            )
        except OSError as error:
            await self._runner.cleanup()
            raise SettingsError(
                f"PASTICHE_METRICS is {self._host}:{self._port}, where nothing can be served "
                f"({_reason(error)}): choose another address or port"
            ) from error
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._listener is not None:
            self._listener.close()
        await self._runner.cleanup()

    def _connection(self) -> asyncio.Protocol:
        """Return what answers a new connection: nobody, if there are as many as may be."""
        server = self._runner.server
        assert server is not None  # noqa: S101 -- it has been set up
        if len(server.connections) >= MOST_CONNECTIONS:
            return _Refusal()
        handler: web.RequestHandler = server()
        asyncio.get_running_loop().call_later(CONNECTION_S, handler.force_close)
        return handler

    async def _show_metrics(self, _request: web.Request) -> web.Response:
        async with self._looking:  # the database is asked once at a time, however many ask here
            await self._look()
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _show_health(self, _request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _show_readiness(self, _request: web.Request) -> web.Response:
        parts: Mapping[str, str] = await self._readiness.look()
        ready = all(said == WELL for said in parts.values())
        return web.json_response({"ready": ready, "parts": parts}, status=200 if ready else 503)


def served(
    address: tuple[str, int] | None,
    metrics: Metrics,
    readiness: Readiness,
    look: Callable[[], Awaitable[None]],
) -> contextlib.AbstractAsyncContextManager[object]:
    """Return a block in which the three pages are served; none are if there is no address.

    Args and errors are those of `WatchServer`.
    """
    return WatchServer(address, metrics, readiness, look) if address else contextlib.nullcontext()


class _Refusal(asyncio.Protocol):
    """Closes the connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()


def _reason(error: OSError) -> str:
    # asyncio puts the address into the text once more; a name that cannot be resolved has no error number.
    number = error.errno or 0
    return (os.strerror(number) if number > 0 else error.strerror or str(error)).lower()
