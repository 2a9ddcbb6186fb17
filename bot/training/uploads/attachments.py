"""Downloads what people upload: from Discord's own hosts, piece by piece, with a limit of size.

The declared size of an attachment is not trusted; the bytes are counted while they are read.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus
from pathlib import Path

import aiohttp
import discord
import yarl

from bot.errors import UserError
from bot.i18n import _
from bot.text import card_style, safe_text

HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
WHOLE_S = 120.0
SILENCE_S = 15.0
PIECE_BYTES = 1 << 16
WRITTEN_AT_ONCE = 1 << 20
LARGEST_TEXT = 1 << 20
"""Bytes of a text that the bot attached to a message."""

Download = Callable[[str], AsyncGenerator[bytes, None]]
"""Downloads a URL in pieces; raises `aiohttp.ClientError`, `OSError` or `TimeoutError`."""


async def from_discord(url: str, *, hosts: frozenset[str] = HOSTS) -> AsyncGenerator[bytes, None]:
    """Download a file from one of Discord's hosts.

    Raises:
        aiohttp.ClientError: the URL has another host, or the host refuses.
        TimeoutError: the download takes too long.
    """
    address = yarl.URL(url)
    if address.host not in hosts or (address.scheme != "https" and hosts is HOSTS):
        raise aiohttp.InvalidURL(address)
    timeout = aiohttp.ClientTimeout(total=WHOLE_S, sock_connect=SILENCE_S, sock_read=SILENCE_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(address, allow_redirects=False) as response,
    ):
        if response.status != HTTPStatus.OK:
            raise aiohttp.ClientResponseError(response.request_info, (), status=response.status)
        async for piece in response.content.iter_chunked(PIECE_BYTES):
            yield piece


async def read(attachment: discord.Attachment, limit: int, download: Download) -> bytes:
    """Return the attachment's content, at most `limit` bytes; for files of some kilobytes.

    Raises:
        UserError: it is larger, or can no longer be downloaded.
    """
    return b"".join([piece async for piece in _pieces(attachment, limit, download)])


async def attached_text(message: discord.Message, filename: str, download: Download) -> str | None:
    """Return the text of the attachment with a name, at most `LARGEST_TEXT` bytes; None if there is none.

    Raises:
        UserError: it is larger, or can no longer be downloaded.
    """
    for attachment in message.attachments:
        if attachment.filename == filename:
            return (await read(attachment, LARGEST_TEXT, download)).decode(errors="replace")
    return None


async def save(attachment: discord.Attachment, limit: int, download: Download, path: Path) -> None:
    """Write the attachment to a file while it is downloaded; create the file's folder.

    Raises:
        UserError: it has more than `limit` bytes, or can no longer be downloaded.
        OSError: the file cannot be written.
    """

    def write(data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(data)

    # The disk may be slow, so a thread writes, and the event loop does not wait.
    batch = bytearray()
    async with contextlib.aclosing(_pieces(attachment, limit, download)) as pieces:
        async for piece in pieces:
            batch += piece
            if len(batch) >= WRITTEN_AT_ONCE:
                await asyncio.to_thread(write, bytes(batch))
                batch.clear()
    await asyncio.to_thread(write, bytes(batch))


async def _pieces(
    attachment: discord.Attachment, limit: int, download: Download
) -> AsyncGenerator[bytes, None]:
    if attachment.size > limit:
        raise _too_large(attachment.filename, limit)
    read = 0
    try:
        # The connection is closed now, not at garbage collection.
        async with contextlib.aclosing(download(attachment.url)) as pieces:
            async for piece in pieces:
                read += len(piece)
                if read > limit:
                    raise _too_large(attachment.filename, limit)
                yield piece
    except (aiohttp.ClientError, discord.HTTPException, OSError) as error:
        status = getattr(error, "status", None) or type(error).__name__
        raise UserError(
            _("The file could not be fetched from Discord ({status}). Please upload it again.").format(
                status=status
            )
        ) from None


def _too_large(filename: str, limit: int) -> UserError:
    return UserError(
        _("{file} is too large: files of up to {limit} are accepted.").format(
            file=safe_text.safe_within(filename, 100), limit=card_style.size(limit)
        )
    )
