"""Reading what people upload: from Discord's own hosts, piece by piece, never more than allowed.

The size that comes with an attachment is what somebody declared; what counts is what is read.
"""

from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

import aiohttp
import discord
import yarl

from bot.errors import UserError
from bot.i18n import _
from bot.presentation import safe_text

HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
WHOLE_S = 120.0
SILENCE_S = 15.0
PIECE_BYTES = 1 << 16

Download = Callable[[str], AsyncIterator[bytes]]
"""Fetches an address in pieces; raises `aiohttp.ClientError`, `OSError` or `TimeoutError`."""


async def from_discord(url: str, *, hosts: frozenset[str] = HOSTS) -> AsyncIterator[bytes]:
    """Fetch a file from one of Discord's hosts.

    Raises:
        aiohttp.ClientError: it is elsewhere, or the host does not give it.
        TimeoutError: it does not come to its end in time.
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
    """The attachment's bytes, at most `limit`.

    Raises:
        UserError: it is larger, or can no longer be fetched.
    """
    if attachment.size > limit:
        raise _too_large(attachment.filename, limit)
    data = bytearray()
    pieces = download(attachment.url)
    try:
        async for piece in pieces:
            data += piece
            if len(data) > limit:
                raise _too_large(attachment.filename, limit)
    except (aiohttp.ClientError, discord.HTTPException, OSError) as error:
        status = getattr(error, "status", None) or type(error).__name__
        raise UserError(
            _("The file could not be fetched from Discord ({status}). Please upload it again.").format(
                status=status
            )
        ) from None
    finally:
        await _close(pieces)
    return bytes(data)


async def _close(pieces: AsyncIterator[bytes]) -> None:
    """Let go of the connection at once, not when the garbage is collected."""
    close = getattr(pieces, "aclose", None)
    if close is not None:
        await close()


def _too_large(filename: str, limit: int) -> UserError:
    return UserError(
        _("{file} is too large: files of up to {limit} are accepted.").format(
            file=safe_text.safe_within(filename, 100), limit=_megabytes(limit)
        )
    )


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"
