"""Sends the command tree to Discord, only if it has changed."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import discord
import structlog
from discord import app_commands

from bot.infra.discord.connection import OUTAGES, delays, one_line
from textgen.files.atomic import write_bytes

log = structlog.stdlib.get_logger(__name__)


async def sync_if_changed(tree: app_commands.CommandTree[discord.Client], path: Path) -> bool:
    """Sync the command tree, unless Discord has it already.

    Args:
        tree: the tree of all commands.
        path: file that holds the hash of the synced tree.

    Returns:
        Whether it was synced.
    """
    commands = [await _payload(tree, command) for command in tree.get_commands()]
    content = json.dumps([tree.client.application_id, commands], sort_keys=True, default=str)
    digest = hashlib.sha256(content.encode()).hexdigest()
    if await asyncio.to_thread(_read, path) == digest:
        # The commands may have been removed, or the data directory may belong to another application.
        known = {command.name for command in await tree.fetch_commands()}
        if known >= {command["name"] for command in commands}:
            return False
    await tree.sync()
    log.info("command tree synced", commands=len(commands))
    try:
        await asyncio.to_thread(write_bytes, path, digest.encode())
    except OSError as error:
        log.warning("the next start syncs the commands again", error=error.strerror)
    return True


async def keep_synced(tree: app_commands.CommandTree[discord.Client], path: Path) -> None:
    """Sync the tree if it has changed, with retries; the bot serves meanwhile."""
    for delay_s in delays():
        try:
            await sync_if_changed(tree, path)
        except (discord.DiscordException, *OUTAGES) as error:
            log.warning("commands not synced", error=one_line(error), next_try_s=round(delay_s))
            await asyncio.sleep(delay_s)
        else:
            return


async def _payload(
    tree: app_commands.CommandTree[discord.Client],
    command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu | app_commands.Group,
) -> dict[str, Any]:
    """Return what `tree.sync` sends for a command, with its texts in all languages."""
    if tree.translator is None:
        return command.to_dict(tree)
    return await command.get_translated_payload(tree, tree.translator)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
