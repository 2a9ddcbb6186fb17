"""A bot in a process of its own, posting a due slot to a Discord that outlives it: a file.

    python -m tests.support.bot.posting_process DATA_DIR BUNDLE NOW [HANG]

NOW is what its clock shows at the start. With HANG it stops for ever at that place, to be killed: `sample`
while the text is sampled, `send` before Discord gets the message, `record` after that.
"""

import asyncio
import contextlib
import datetime
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import simcord

from bot.app import create_bot
from bot.bundles.publishing import publish_bundle
from bot.client import Pastiche
from bot.scheduling.parser import read_rule
from bot.settings import Settings
from models import scheduled_posts, schedules, utc_now

GUILD = 1_015_000_000_000_000_000
SLOT = datetime.datetime(2027, 3, 1, 9, 0, tzinfo=datetime.UTC)


class Discord:
    """Remembers messages by their nonces, as Discord does, in a file of one JSON line each."""

    def __init__(self, bot: Pastiche, file: Path, hang: str) -> None:
        self._file, self._hang = file, hang
        self._send, self._sample = bot.http.send_message, bot.pool.samples
        bot.http.send_message = self.send_message
        bot.pool.samples = self.sample

    async def sample(self, request: Any) -> Any:
        texts = await self._sample(request)
        await self.hang_at("sample")
        return texts

    async def send_message(self, channel_id: int, *, params: Any) -> Any:
        await self.hang_at("send")
        payload = params.payload
        assert payload["enforce_nonce"]
        known = [json.loads(line) for line in self._file.read_text().splitlines()]
        sent = await self._send(channel_id, params=params)
        if payload["nonce"] not in [each["nonce"] for each in known]:
            line = {"nonce": payload["nonce"], "text": payload["embeds"][0]["description"]}
            with self._file.open("a") as file:
                file.write(f"{json.dumps(line)}\n")
                os.fsync(file.fileno())
        await self.hang_at("record")
        return sent

    async def hang_at(self, place: str) -> None:
        if place == self._hang:
            self._file.with_suffix(".hangs").touch()
            await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def serving(
    bot: Pastiche, bundle: Path, now: str, *, hang: str = "", check_errors: bool = True
) -> AsyncIterator[tuple[int, int, int]]:
    """Run the bot in a server that was there before it, as after any restart, with a daily schedule.

    Args:
        bot: not started yet.
        bundle: of the model that writes.
        now: what the bot's clock of schedules shows at the start, in ISO format.
        hang: where the bot stops for ever; "" for nowhere.
        check_errors: whether an error that the bot logs ends the process.

    Yields:
        Ids of the schedule, of the channel, and of the person who manages the server.
    """
    started, shown = utc_now(), datetime.datetime.fromisoformat(now)
    bot.poster.now = lambda: shown + (utc_now() - started)
    file = bot.settings.data_dir / "discord.jsonl"
    file.parent.mkdir(exist_ok=True)
    file.touch()
    visitor = discord.Client(intents=discord.Intents(guilds=True))
    async with simcord.run(visitor, check_errors=check_errors) as env:
        guild = env.create_guild("Stratford", id=GUILD)
        channel = guild.create_text_channel("quill")
        managers = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
        admin = guild.add_member(env.create_user("ada"), roles=[managers])
        await visitor.close()
        await env.restart_bot(bot)
        Discord(bot, file, hang)
        yield record(bot, bundle, channel.id, admin.id), channel.id, admin.id
        await bot.close()


async def main(data_dir: Path, bundle: Path, now: str, hang: str = "") -> None:
    bot = create_bot(Settings(_env_file=None, data_dir=data_dir))
    async with serving(bot, bundle, now, hang=hang) as (schedule_id, _channel_id, _user_id):
        while True:
            await bot.poster.tick()
            with bot.database.read() as session:
                posts = scheduled_posts.listing(session, GUILD, schedule_id)
            if posts and all(post.state.is_final for post in posts):
                break
            await asyncio.sleep(0.1)


def record(bot: Pastiche, bundle: Path, channel_id: int, user_id: int) -> int:
    """Make the schedule, unless an earlier process did: ids are the same in every one."""
    with bot.database.write() as session:
        for known in schedules.listing(session, GUILD):
            assert known.channel_id == channel_id
            return known.id
        publish_bundle(session, GUILD, bundle, name="Bard", created_by=user_id)
        draft = schedules.add_draft(
            session,
            GUILD,
            channel_id=channel_id,
            created_by=user_id,
            rule=read_rule("daily 09:00").text,
            timezone="UTC",
            anchor=SLOT,
            length=40,
        )
        schedules.confirm(session, GUILD, draft.id, next_slot=SLOT)
        return draft.id


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
