"""Schedules for tests: made as a person makes them, and a clock for them that is set by hand."""

import asyncio
import datetime
import time

import discord
import simcord

from models import PostState, Schedule, scheduled_posts, schedules
from tests.support.bot.world import Place, World, answer, shown
from tests.support.patience import PATIENCE_S

UTC = datetime.UTC
# A Monday.
MONDAY = datetime.datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


class Clock:
    """The bot's clock for schedules, set by hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.moment = MONDAY
        self.watch()

    def watch(self) -> None:
        self.world.bot.poster.now = lambda: self.moment

    async def at(self, moment: datetime.datetime) -> None:
        """Let the bot look for what is due at a moment."""
        self.moment = moment
        await self.world.bot.poster.tick()


async def add(place: Place, when: str = "daily 09:00", actor=None, **options) -> simcord.ResponseMessage:
    """The preview of a schedule."""
    given = {"when": when, "length": 40} | options
    return answer(await (actor or place.admin).slash(place.channel, "schedule add", **given))


async def save(world: World, place: Place, when: str = "daily 09:00", **options) -> Schedule:
    preview = await add(place, when, **options)
    assert preview.embeds, preview.content
    await place.admin.click(preview.message, label="Confirm")
    return known(world, place)[-1]


def known(world: World, place: Place) -> list[Schedule]:
    with world.bot.database.read() as session:
        return list(schedules.listing(session, place.guild.id))


def slots(world: World, place: Place, schedule_id: int) -> dict[datetime.datetime, PostState]:
    with world.bot.database.read() as session:
        posts = scheduled_posts.listing(session, place.guild.id, schedule_id)
    return {post.slot: post.state for post in reversed(posts)}


async def ended(world: World, place: Place, schedule_id: int) -> list[PostState]:
    """What became of all slots, once none is under way."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        states = list(slots(world, place, schedule_id).values())
        if states and all(state.is_final for state in states):
            return states
        assert time.monotonic() < deadline, states
        await asyncio.sleep(0.1)


def posts(place: Place, channel=None) -> list[discord.Message]:
    """The posts of schedules in a channel, the oldest first."""
    messages = (channel or place.channel).history()
    found = [m for m in messages if m.embeds and m.embeds[0].footer.text and "random seed" in shown(m)]
    return sorted(found, key=lambda message: message.id)


def second_manager(world: World, place: Place) -> simcord.MemberActor:
    return place.guild.add_member(world.env.create_user("cleo"), roles=[place.guild.roles["Managers"]])


async def demote(world: World, place: Place) -> None:
    """Take Manage Server from the one who has it."""
    role = place.guild.roles["Managers"]
    world.env.backend.remove_member_role(place.guild.id, place.admin.id, role.id)
    await world.env.settle()
