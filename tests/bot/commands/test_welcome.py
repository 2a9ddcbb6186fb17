"""A server is greeted once; leaving it leaves a mark, and coming back takes the mark away."""

import datetime
from pathlib import Path

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite, OverwriteType

from bot import i18n
from bot.commands.background.welcome import channel_to_greet
from models import GuildSettings, ScheduleState, guilds, schedules
from tests.support.bot.schedules import Clock, save
from tests.support.bot.world import Place, World, shown


async def join(world: World, place: Place, event: str = "on_guild_join") -> None:
    """What discord.py calls when somebody adds the bot; SimCord does not do so by itself."""
    guild = world.bot.get_guild(place.guild.id)
    for listener in world.bot.extra_events[event]:
        await listener(guild)
    await world.env.settle()


async def leave(world: World, place: Place) -> None:
    await join(world, place, "on_guild_remove")


def settings(world: World, place: Place) -> GuildSettings:
    with world.bot.database.read() as session:
        return guilds.settings_of(session, place.guild.id)


def welcomes(channel: simcord.ChannelHandle) -> list[discord.Message]:
    return [message for message in channel.history() if "/train" in shown(message)]


def close(world: World, channel: simcord.ChannelHandle) -> None:
    """Forbid the bot to write in a channel."""
    denied = Overwrite(world.bot.user.id, OverwriteType.MEMBER, deny=1 << 11)
    world.env.backend.set_overwrite(channel.id, denied)


async def test_a_new_server_is_shown_the_three_commands_once(world: World):
    place = world.place()
    await join(world, place)
    (message,) = welcomes(place.channel)
    text = shown(message)
    for words in ("/train", "/generate", "/models", "/privacy"):
        assert words in text
    assert len(text) < 600

    await join(world, place)
    await world.restart()
    await join(world, place)
    assert len(welcomes(place.channel)) == 1


async def test_a_server_is_greeted_in_its_language(world: World):
    place = world.place(language="de")
    await join(world, place)
    (message,) = welcomes(place.channel)
    assert i18n.translated("Write something in its style.", "de") in shown(message)
    assert "Write something in its style." not in shown(message)


async def test_it_goes_to_the_system_channel_or_the_first_that_can_be_written_to(world: World):
    place = world.place()
    second, system = (place.guild.create_text_channel(name) for name in ("second", "system"))
    guild = world.bot.get_guild(place.guild.id)
    world.env.backend.edit_guild(guild.id, {"system_channel_id": system.id})
    await world.env.settle()
    assert channel_to_greet(guild).id == system.id
    close(world, system)
    await world.env.settle()
    assert channel_to_greet(guild).id == place.channel.id
    close(world, place.channel)
    await world.env.settle()
    await join(world, place)
    assert len(welcomes(second)) == 1


async def test_a_server_without_a_writable_channel_gets_no_welcome(world: World):
    place = world.place()
    close(world, place.channel)
    await world.env.settle()
    await join(world, place)
    assert place.channel.history() == []
    assert settings(world, place).welcomed_at is not None


@pytest.mark.slow
async def test_a_server_that_removes_the_bot_and_takes_it_back_keeps_the_data_but_not_the_posts(
    world: World, trained_bundle: Path
):
    place = world.place()
    Clock(world)
    world.give_model(place, trained_bundle)
    await join(world, place)
    schedule = await save(world, place)
    await leave(world, place)
    now = datetime.datetime.now(datetime.UTC)
    assert abs(settings(world, place).removed_at - now) < datetime.timedelta(minutes=1)
    with world.bot.database.read() as session:
        left = schedules.get(session, place.guild.id, schedule.id)
    assert left.state is ScheduleState.PAUSED
    assert left.paused_reason == "The bot was removed from the server."

    await join(world, place)
    assert settings(world, place).removed_at is None
    assert len(welcomes(place.channel)) == 1


@pytest.mark.parametrize("away", [True, False])
@pytest.mark.slow
async def test_what_happened_while_the_bot_was_away_is_noticed_at_its_start(world: World, away: bool):
    place = world.place()
    with world.bot.database.write() as session:
        guilds.edit(session, place.guild.id, removed_at=None if away else datetime.datetime.now(datetime.UTC))
    await world.bot.close()
    if away:
        world.env.backend.remove_guild(place.guild.id)
    await world.restart()
    assert (settings(world, place).removed_at is not None) == away


@pytest.mark.parametrize(("days_ago", "greeted"), [(1, True), (30, False)])
@pytest.mark.slow
async def test_a_server_that_added_the_bot_while_it_was_away_is_greeted_once(
    world: World, days_ago: int, greeted: bool
):
    """Not those it has been in for long, when the database is a new one."""
    place = world.place()
    joined = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days_ago)
    world.env.backend.guilds[place.guild.id].members[world.bot.user.id].joined_at = joined.isoformat()
    await world.restart()
    assert len(welcomes(place.channel)) == greeted
    await world.restart()
    assert len(welcomes(place.channel)) == greeted


async def test_an_outage_at_the_start_keeps_no_server_from_being_greeted(world: World):
    down, new = world.place("Down"), world.place("New")
    # What discord.py holds of a server that is named at the start and does not come.
    missing = discord.Guild(data={"id": str(down.guild.id), "unavailable": True}, state=world.bot._connection)
    there = world.bot._connection._guilds[down.guild.id]
    world.bot._connection._guilds[down.guild.id] = missing
    for listener in world.bot.extra_events["on_ready"]:
        await listener()
    assert len(welcomes(new.channel)) == 1
    assert settings(world, down).removed_at is None
    world.bot._connection._guilds[down.guild.id] = there
    there.me.joined_at = datetime.datetime.now(datetime.UTC)
    for listener in world.bot.extra_events["on_guild_available"]:
        await listener(there)
    assert len(welcomes(down.channel)) == 1
