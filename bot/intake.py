"""Taking in an uploaded corpus: size, text, whether it may and can be trained on; then storing it.

Reading and checking are plain blocking functions, meant for a worker thread.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import discord

from bot.errors import UserError
from bot.files import write_atomically
from bot.layout import Layout
from textgen.corpus import CorpusStats, check_trainable, decode


@dataclass(frozen=True)
class AcceptedCorpus:
    """A text that can be trained on, stored in the guild's folder."""

    sha256: str
    path: Path
    stats: CorpusStats


async def read_attachment(attachment: discord.Attachment, limit: int) -> bytes:
    """The attachment's bytes, at most `limit`.

    Discord's own record of the size is looked at before anything is fetched, and what came is counted.

    Raises:
        UserError: it is larger, or can no longer be fetched.
    """
    if attachment.size > limit:
        raise _too_large(attachment.filename, attachment.size, limit)
    try:
        data = await attachment.read()
    except discord.HTTPException as error:
        raise UserError(
            f"The file could not be fetched from Discord ({error.status}). Please upload it again."
        ) from None
    if len(data) > limit:
        raise _too_large(attachment.filename, len(data), limit)
    return data


def accept(data: bytes, *, filename: str, guild_id: int, layout: Layout) -> AcceptedCorpus:
    """Decode, check and store a corpus.

    Raises:
        CorpusError: it is not text, or too little of it.
        UserError: it looks like a chat log.
    """
    text = decode(data, name=filename)
    stats = check_trainable(text)
    if stats.suspected_chat_log:
        raise UserError(
            f"This looks like {stats.suspected_chat_log}: chat messages are other people's words, "
            "and Discord forbids training on them. Upload a text you may use."
        )
    stored = text.encode()
    sha256 = hashlib.sha256(stored).hexdigest()
    path = layout.corpus(guild_id, sha256)
    if not path.exists():
        write_atomically(path, stored)
    return AcceptedCorpus(sha256, path, stats)


def _too_large(filename: str, size: int, limit: int) -> UserError:
    shown = discord.utils.escape_markdown(filename)
    return UserError(f"{shown} has {_megabytes(size)}; texts of up to {_megabytes(limit)} are accepted.")


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.1f} KiB"
