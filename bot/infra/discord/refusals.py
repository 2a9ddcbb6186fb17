"""What Discord's refusals mean: which pass, which last, and a thread that has to be opened again."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import discord

Result = TypeVar("Result")

TOO_MANY_REQUESTS = 429
FIRST_SERVER_ERROR = 500
FORBIDDEN = 403

UNKNOWN_CHANNEL = 10003
UNKNOWN_MEMBER = 10007
UNKNOWN_USER = 10013
TOO_MANY_OLD_EDITS = 30046
EMPTY_MESSAGE = 50006
"""What is left of a message of embeds in a channel without Embed Links."""

ARCHIVED = 50083


def is_passing(error: discord.HTTPException) -> bool:
    """Whether it may be gone in a moment: a limit, an outage, a right that is missing for now."""
    if error.code == TOO_MANY_OLD_EDITS:
        return True
    return error.status in (TOO_MANY_REQUESTS, FORBIDDEN) or error.status >= FIRST_SERVER_ERROR


async def reopening(client: discord.Client, channel_id: int, send: Callable[[], Awaitable[Result]]) -> Result:
    """Send; where the thread is archived and does not open by itself, open it and send again.

    Raises:
        HTTPException: Discord refuses it still.
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
