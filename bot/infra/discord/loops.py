"""Loops of cogs that no error ends."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from discord.ext import tasks

log = structlog.stdlib.get_logger(__name__)

Method = Callable[[Any], Awaitable[None]]


def steadily(what: str, *, seconds: float) -> Callable[[Method], "tasks.Loop[Any]"]:
    """Decorate a method of a cog like `tasks.loop`; an unexpected error is logged, and the next turn comes.

    `Loop.restart` in a handler of errors would begin the next turn at once, and so again and again.

    Args:
        what: what is done, for the log.
        seconds: from the begin of a turn to the next.
    """

    def decorate(method: Method) -> "tasks.Loop[Any]":
        @functools.wraps(method)
        async def turn(cog: Any) -> None:
            try:
                await method(cog)
            except Exception as error:
                log.error("a loop failed and goes on", loop=what, exc_info=error)

        return tasks.loop(seconds=seconds)(turn)

    return decorate
