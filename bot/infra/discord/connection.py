"""Connects to Discord: retries during an outage, and ends the process with one line if it is refused.

An outage passes, so the login is retried with growing delays, as discord.py does by itself once it is
connected. If only the host can repair it (a revoked token, intents that are not granted), the process ends: a
retry would not help, and Discord blocks addresses that try too often.
"""

import asyncio
import random
from collections.abc import Iterator

import aiohttp
import discord
import structlog
import yarl

from bot.infra.discord.refusals import FIRST_SERVER_ERROR, TOO_MANY_REQUESTS

log = structlog.stdlib.get_logger(__name__)

FIRST_DELAY_S = 5.0
LONGEST_DELAY_S = 600.0
# When Discord blocks an address (a 429 that is a web page), it names no time; it blocks for about an hour.
BLOCKED_DELAY_S = 300.0

PORTAL = "in the developer portal (https://discord.com/developers/applications)"

OUTAGES = (aiohttp.ClientError, TimeoutError, OSError, discord.GatewayNotFound, discord.RateLimited)

COPY = "copy the current one from the developer portal (Bot, Reset Token)"
UNKNOWN_TOKEN = f"Discord refuses DISCORD_TOKEN: {COPY}"

CLOSE_CODES = {
    4004: f"Discord no longer takes DISCORD_TOKEN, which was reset or revoked: {COPY}",
    4010: "Discord refuses the shards of this process: check PASTICHE_SHARDS and PASTICHE_SHARD_IDS",
    4011: "the bot is in more servers than PASTICHE_SHARDS can serve (2,500 each): raise it in every "
    "process, or remove it where there is only one, which then asks Discord for the number",
    4012: "Discord no longer speaks this version of its gateway: install a newer version of Pastiche",
    4013: "Discord does not know the intents that were asked for: install a newer version of Pastiche",
    4014: f"Discord does not grant the intents that were asked for: allow them {PORTAL} "
    "(Bot, Privileged Gateway Intents)",
}


class ConnectionRefused(Exception):
    """Discord refuses this bot permanently; `str()` is one line that says why."""


def delays(first_s: float = FIRST_DELAY_S, longest_s: float = LONGEST_DELAY_S) -> Iterator[float]:
    """Yield the seconds to wait before each retry: exponential backoff with jitter."""
    delay_s = first_s
    while True:
        yield delay_s * random.uniform(0.75, 1.25)  # noqa: S311 - spread, not secrecy
        delay_s = min(2 * delay_s, longest_s)


def use_api(url: str) -> None:
    """Let discord.py send every request to this address, and no more to Discord's own.

    Args:
        url: what paths are appended to.
    """
    discord.http.Route.BASE = url


async def ask_gateway(bot: discord.Client) -> tuple[int, int]:
    """Ask Discord how to connect, and let every shard connect to the address that it names.

    Returns:
        The number of shards that Discord recommends, and how many of them may identify themselves at a time.

    Raises:
        GatewayNotFound: Discord does not answer for now.
    """
    shards, url, limits = await bot.http.get_bot_gateway()
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
    return shards, limits["max_concurrency"]


async def serve(bot: discord.Client, token: str) -> None:
    """Log in, with retries during an outage, and serve until the bot is closed.

    Raises:
        ConnectionRefused: Discord refuses the bot.
    """
    await _log_in(bot, token)
    try:
        await bot.connect()
    except discord.PrivilegedIntentsRequired:
        raise ConnectionRefused(CLOSE_CODES[4014]) from None
    except discord.ConnectionClosed as closed:
        said = CLOSE_CODES.get(closed.code)
        raise ConnectionRefused(
            said or f"Discord closed the connection with code {closed.code} ({closed.reason or 'no reason'})"
        ) from None


async def _log_in(bot: discord.Client, token: str) -> None:
    waits = delays()
    while True:
        try:
            await bot.login(token)
        except discord.LoginFailure:
            raise ConnectionRefused(UNKNOWN_TOKEN) from None
        except discord.HTTPException as error:
            reason = one_line(error)
            if error.status != TOO_MANY_REQUESTS and error.status < FIRST_SERVER_ERROR:
                raise ConnectionRefused(f"Discord refuses the login: {reason}") from None
            delay_s = max(next(waits), _asked_for_s(error))
        except OUTAGES as error:
            reason, delay_s = one_line(error), next(waits)
        else:
            return
        log.warning("Discord cannot be reached", error=reason, next_try_s=round(delay_s))
        # The next login opens a new session.
        await bot.http.close()
        bot.http.clear()
        bot.http.connector = discord.utils.MISSING
        await asyncio.sleep(delay_s)


def _asked_for_s(error: discord.HTTPException) -> float:
    """Return how long Discord asks to wait, in seconds; 0 if it does not ask."""
    if error.status != TOO_MANY_REQUESTS:
        return 0.0
    try:
        return float(error.response.headers["Retry-After"])
    except (KeyError, ValueError):
        return BLOCKED_DELAY_S


def one_line(error: BaseException) -> str:
    """Return an error as one line, without the web page that Discord may have sent."""
    if isinstance(error, discord.HTTPException):
        reason = error.response.reason or ""
        said = "" if "<" in error.text else error.text
        return " ".join(f"{error.status} {reason} {said}".split())
    return " ".join(str(error).split()) or type(error).__name__
