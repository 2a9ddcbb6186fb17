"""What Discord's error codes mean: which errors pass, which last, and how to reopen an archived thread."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import discord

Result = TypeVar("Result")

# HTTP status codes.
FORBIDDEN = 403
TOO_LARGE = 413
TOO_MANY_REQUESTS = 429
FIRST_SERVER_ERROR = 500

# Discord's own error codes.
UNKNOWN_CHANNEL = 10003
UNKNOWN_GUILD = 10004
UNKNOWN_MEMBER = 10007
UNKNOWN_MESSAGE = 10008
UNKNOWN_USER = 10013
UNKNOWN_INTERACTION = 10062  # also where it is answered too late
TOO_MANY_OLD_EDITS = 30046
ALREADY_ACKNOWLEDGED = 40060  # Discord delivered the interaction twice
MISSING_ACCESS = 50001
EMPTY_MESSAGE = 50006  # what is left of a message of embeds in a channel without Embed Links
MISSING_PERMISSIONS = 50013
ARCHIVED = 50083


def is_busy(error: discord.HTTPException) -> bool:
    """Whether Discord cannot serve the request now: a rate limit or an outage."""
    if error.code == TOO_MANY_OLD_EDITS:
        return True
    return error.status == TOO_MANY_REQUESTS or error.status >= FIRST_SERVER_ERROR


def is_passing(error: discord.HTTPException) -> bool:
    """Whether a retry may succeed: Discord is busy, or the bot lacks a permission for now."""
    return is_busy(error) or error.status == FORBIDDEN


async def reopening(client: discord.Client, channel_id: int, send: Callable[[], Awaitable[Result]]) -> Result:
    """Send. If the thread is archived and does not open by itself, open it and send again.

    Raises:
        HTTPException: Discord refuses the message.
    """
    try:
        return await send()
    except discord.HTTPException as error:
        if error.code != ARCHIVED:
            raise
        thread = await client.fetch_channel(channel_id)
        if not isinstance(thread, discord.Thread):
            raise
        await thread.edit(archived=False)
    return await send()
