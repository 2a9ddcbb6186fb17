"""The process of `textgen serve --http`: its socket, its signals, and its end in order."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import aclosing, suppress

from aiohttp import web

from textgen.errors import TextgenError
from textgen.serving.http.app import Service
from textgen.serving.http.errors import ApiError
from textgen.serving.http.options import Options
from textgen.serving.http.sampler import Sampler, Samplers

_BACKLOG = 1_024
_SPARE_DESCRIPTORS = 64
_CLOSING_S = 3.0
_FULL = json.dumps(ApiError(503, "too many connections; try again later").as_json())
_FULL_ANSWER = (
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
    f"Retry-After: 1\r\nContent-Length: {len(_FULL)}\r\n\r\n{_FULL}"
)


class ServingError(TextgenError):
    """The service cannot start."""


def serve(options: Options, say: Callable[[str], None]) -> int | None:
    """Serve until a signal ends the service.

    Args:
        options: models, address, key, limits.
        say: is called with one line, the address, when requests can come.

    Returns:
        The number of the signal.

    Raises:
        ServingError: the address cannot be had, or a model cannot be loaded.
    """
    return asyncio.run(_serve(options, say))


async def _serve(options: Options, say: Callable[[str], None]) -> int | None:
    listening = _bound(options)
    signals: list[int] = []
    told, at_once = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(number: int) -> None:
        (at_once if told.is_set() else told).set()
        signals.append(number)

    # Event loops of Windows take no handlers of signals: there Ctrl-C ends the service at once.
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, tell, number)
    samplers = Samplers(options.processes)
    service = Service(options, samplers)
    limits = options.limits
    runner = web.AppRunner(
        service.app(), access_log=None, handler_cancellation=True, shutdown_timeout=_CLOSING_S,
        keepalive_timeout=limits.idle_s,
    )  # fmt: skip
    try:
        await asyncio.gather(*(_load_all(options, sampler, told) for sampler in samplers.all))
        await runner.setup()
        server = runner.server
        assert server is not None  # noqa: S101 -- `setup` makes it

        # The server counts a connection in the loop's next round, and a hundred may be accepted in this one.
        coming = 0

        def counted() -> None:
            nonlocal coming
            coming -= 1

        def connection() -> asyncio.Protocol:
            nonlocal coming
            if len(server.connections) + coming >= limits.connections:
                return _Full()
            coming += 1
            loop.call_soon(counted)
            return server()

        listener = await loop.create_server(connection, sock=listening, backlog=_BACKLOG)
        if not told.is_set():
            say("http://{}:{}".format(options.host if ":" not in options.host else f"[{options.host}]",
                                      listening.getsockname()[1]))  # fmt: skip
        await told.wait()
        listener.close()
        await service.admission.close(at_once)
    finally:
        listening.close()
        await runner.cleanup()
        await samplers.close()
    return signals[0] if signals else None


async def _load_all(options: Options, sampler: Sampler, told: asyncio.Event) -> None:
    """Have every model loaded once, so that a model that cannot be read ends the start."""
    for model in options.models.values():
        request = {"bundle": str(model.path), "seed": "", "settings": {"length": 1}}
        if told.is_set():
            return
        try:
            async with aclosing(sampler.answers(request)) as answers:
                async for _ in answers:
                    pass
        except ApiError as error:
            raise ServingError(error.message) from None


def _bound(options: Options) -> socket.socket:
    """Return a socket at the address.

    Raises:
        ServingError: the address cannot be had.
    """
    _allow_descriptors(options.limits.connections)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        raise ServingError(
            f"{options.host} port {options.port} cannot be had: {(error.strerror or str(error)).lower()}",
            advice=("name another --port (0 takes a free one)",),
        ) from None
    return made


def _allow_descriptors(connections: int) -> None:
    """Raise the number of open files that the system allows, as far as it lets us."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))


class _Full(asyncio.Protocol):
    """Refuses a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say so, and close."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 -- it is a connection
        transport.write(_FULL_ANSWER.encode())
        transport.close()
