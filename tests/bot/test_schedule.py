"""Schedules as those who manage a server use them, in a simulated Discord."""

import asyncio
import datetime
import time
from pathlib import Path

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite, OverwriteType

from models import PostState, Schedule, ScheduleState, audit, guilds, scheduled_posts, schedules
from tests.bot.world import Place, World, answer, private_line, shown

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


@pytest.fixture
def clock(world: World) -> Clock:
    return Clock(world)


@pytest.fixture
def stratford(world: World, clock: Clock, trained_bundle: Path) -> Place:
    place = world.place()
    world.give_model(place, trained_bundle)
    return place


async def add(place: Place, when: str = "daily 09:00", actor=None, **options) -> simcord.ResponseMessage:
    """The preview of a schedule."""
    wish = {"when": when, "length": 40} | options
    return answer(await (actor or place.admin).slash(place.channel, "schedule add", **wish))


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


async def ended(world: World, place: Place, schedule_id: int, timeout_s: float = 30) -> list[PostState]:
    """What became of all slots, once none is under way."""
    deadline = time.monotonic() + timeout_s
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


BAD_WISHES = [
    ({"when": "sometimes"}, "“sometimes” is not understood. Say “daily 09:00”"),
    ({"when": "every 10 minutes"}, "at least 30 minutes between two posts"),
    ({"when": "*/5 * * * *"}, "at least 30 minutes between two posts"),
    ({"when": "@everyone 09:00"}, "is not understood"),
    ({"timezone": "Mars/Olympus"}, "“Mars/Olympus” is no time zone"),
    ({"timezone": "../../etc/passwd"}, "is no time zone"),
    ({"model": "Nobody"}, "no model named “Nobody” here"),
]


class TestAdd:
    async def test_it_shows_the_next_three_times_and_saves_after_a_confirmation(
        self, world: World, stratford: Place
    ):
        preview = await add(stratford, "Weekdays at 9:30", timezone="europe/berlin", model="bard")
        assert preview.ephemeral
        text = shown(preview)
        for number, day in enumerate(("1 March", "2 March", "3 March")):
            moment = datetime.datetime(2027, 3, 1 + number, 8, 30, tzinfo=UTC)
            assert f"<t:{moment.timestamp():.0f}:F>" in text
            assert f"{day} 2027, 09:30" in text
        assert "Monday" in text
        assert "Europe/Berlin" in text
        assert "Bard" in text
        assert f"<#{stratford.channel.id}>" in text
        assert known(world, stratford) == []

        await stratford.admin.click(preview.message, label="Confirm")
        (schedule,) = known(world, stratford)
        assert (schedule.rule, schedule.timezone) == ("weekdays 09:30", "Europe/Berlin")
        assert schedule.next_slot == datetime.datetime(2027, 3, 1, 8, 30, tzinfo=UTC)
        with world.bot.database.read() as session:
            (event,) = audit.listing(session, stratford.guild.id)
        assert (event.action, event.actor_id) == ("schedule.added", stratford.admin.id)
        assert "weekdays 09:30 Europe/Berlin" in event.subject

    async def test_cancel_saves_nothing(self, world: World, stratford: Place):
        preview = await add(stratford)
        await stratford.admin.click(preview.message, label="Cancel")
        assert known(world, stratford) == []

    async def test_a_preview_can_be_confirmed_after_a_restart(
        self, world: World, stratford: Place, clock: Clock
    ):
        preview = await add(stratford)
        await world.restart()
        clock.watch()
        await stratford.admin.click(preview.message, label="Confirm")
        assert len(known(world, stratford)) == 1

    async def test_a_preview_that_a_newer_one_replaced_is_not_saved(self, world: World, stratford: Place):
        old = await add(stratford)
        await save(world, stratford, "daily 10:00")
        assert "no such schedule" in private_line(await stratford.admin.click(old.message, label="Confirm"))
        assert [schedule.rule for schedule in known(world, stratford)] == ["daily 10:00"]

    async def test_the_guilds_zone_is_the_default(self, world: World, stratford: Place):
        with world.bot.database.write() as session:
            guilds.edit(session, stratford.guild.id, timezone="Asia/Kolkata")
        schedule = await save(world, stratford, "daily 09:00")
        assert schedule.timezone == "Asia/Kolkata"
        assert schedule.next_slot == datetime.datetime(2027, 3, 2, 3, 30, tzinfo=UTC)

    async def test_what_cannot_be_done_is_one_private_line(self, world: World, stratford: Place):
        for options, says in BAD_WISHES:
            wish = {"when": "daily 09:00"} | options
            line = private_line(await stratford.admin.slash(stratford.channel, "schedule add", **wish))
            assert says in line.replace("\\", "")
            assert "@everyone" not in line
        assert known(world, stratford) == []

    async def test_a_guild_has_only_so_many(self, world: World, stratford: Place):
        with world.bot.database.write() as session:
            guilds.edit(session, stratford.guild.id, schedules=2)
        previews = [await add(stratford, actor=stratford.admin)]
        second = second_manager(world, stratford)
        previews.append(await add(stratford, actor=second))
        await save(world, stratford)
        await stratford.admin.click(previews[0].message, label="Confirm")  # its draft went with the next one
        await second.click(previews[1].message, label="Confirm")
        assert len(known(world, stratford)) == 2
        refused = await stratford.admin.slash(stratford.channel, "schedule add", when="daily 10:00")
        assert "may have 2 schedules" in private_line(refused)

    async def test_the_limit_counts_when_it_is_confirmed(self, world: World, stratford: Place):
        preview = await add(stratford)
        with world.bot.database.write() as session:
            guilds.edit(session, stratford.guild.id, schedules=0)
        line = private_line(await stratford.admin.click(preview.message, label="Confirm"))
        assert line == "This server may have no schedules."

    async def test_a_channel_the_bot_or_the_person_may_not_write_to_is_refused(
        self, world: World, stratford: Place
    ):
        me = world.bot.user
        silent = stratford.guild.create_text_channel(
            "silent", overwrites={me: discord.PermissionOverwrite(send_messages=False)}
        )
        line = private_line(
            await stratford.admin.slash(stratford.channel, "schedule add", when="hourly", channel=silent)
        )
        assert "I lack Send Messages" in line
        theirs = stratford.guild.create_text_channel(
            "owners", overwrites={stratford.admin: discord.PermissionOverwrite(send_messages=False)}
        )
        line = private_line(
            await stratford.admin.slash(stratford.channel, "schedule add", when="hourly", channel=theirs)
        )
        assert "You may not write in" in line
        with world.bot.database.write() as session:
            guilds.edit(session, stratford.guild.id, channel_id=silent.id)
        line = private_line(await stratford.admin.slash(stratford.channel, "schedule add", when="hourly"))
        assert f"go to <#{silent.id}> only" in line

    async def test_zones_are_offered_by_any_part_of_their_name(self, stratford: Place):
        offered = await stratford.admin.autocomplete(
            stratford.channel, "schedule add", "timezone", "new york", when="hourly"
        )
        assert offered == [{"name": "America/New_York", "value": "America/New_York"}]
        offered = await stratford.admin.autocomplete(
            stratford.channel, "schedule add", "timezone", "", when="hourly"
        )
        assert len(offered) == 25


class TestRight:
    COMMANDS = ("list", "pause", "resume", "run", "remove")

    async def test_manage_server_is_needed_for_all_even_where_they_are_shown(
        self, world: World, stratford: Place
    ):
        schedule = await save(world, stratford)
        preview = await add(stratford)
        command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "schedule")
        stratford.guild.set_command_permissions(command.id, {stratford.guild.default_role: True})
        refusal = "Schedules take the permission Manage Server."
        ben = stratford.member
        for name in self.COMMANDS:
            options = {} if name == "list" else {"schedule": schedule.id}
            assert private_line(await ben.slash(stratford.channel, f"schedule {name}", **options)) == refusal
        assert private_line(await ben.slash(stratford.channel, "schedule add", when="hourly")) == refusal
        assert await ben.autocomplete(stratford.channel, "schedule pause", "schedule", "") == []
        offered = await ben.autocomplete(stratford.channel, "schedule add", "model", "", when="hourly")
        assert offered == []
        # Rights may go while the preview is open.
        await demote(world, stratford)
        assert private_line(await stratford.admin.click(preview.message, label="Confirm")) == refusal
        assert len(known(world, stratford)) == 1


class TestPosting:
    async def test_a_due_slot_is_posted_once_with_what_it_is_of(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(
            world, stratford, "daily 09:00", timezone="Europe/Berlin", seed="to be", temperature=0.5
        )
        await clock.at(MONDAY - datetime.timedelta(seconds=1))
        assert slots(world, stratford, schedule.id) == {}
        await clock.at(schedule.next_slot + datetime.timedelta(seconds=3))
        for _ in range(3):
            await world.bot.poster.tick()
        assert await ended(world, stratford, schedule.id) == [PostState.SENT]
        await world.bot.poster.tick()
        (post,) = posts(stratford)
        assert post.embeds[0].description.startswith("**to be**")
        footer = post.embeds[0].footer.text
        assert footer.startswith("daily 09:00 Europe/Berlin · Bard · temperature 0.5 · random seed ")
        assert [button.label for row in post.components for button in row.children] == ["Stop"]
        assert known(world, stratford)[0].next_slot == schedule.next_slot + DAY

    async def test_the_loop_of_the_bot_finds_it_by_itself(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford)
        clock.moment = schedule.next_slot
        message = await world.until(stratford, "daily 09:00 UTC", timeout_s=30)
        assert message.embeds[0].description

    async def test_after_a_short_downtime_the_latest_slot_is_caught_up_and_the_others_are_missed(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(world, stratford, "every 6 hours")
        first = schedule.next_slot
        await clock.at(first + 13 * HOUR)
        assert await ended(world, stratford, schedule.id) == [
            PostState.MISSED,
            PostState.MISSED,
            PostState.SENT,
        ]
        assert len(posts(stratford)) == 1
        assert known(world, stratford)[0].next_slot == first + 18 * HOUR

    async def test_after_a_long_one_the_latest_is_missed_too(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(world, stratford)
        await clock.at(schedule.next_slot + 30 * DAY + 7 * HOUR)
        assert set(await ended(world, stratford, schedule.id)) == {PostState.MISSED}
        assert posts(stratford) == []
        assert known(world, stratford)[0].next_slot == schedule.next_slot + 31 * DAY

    async def test_run_posts_once_out_of_turn_and_links_it(self, world: World, stratford: Place):
        schedule = await save(world, stratford)
        done = answer(await stratford.admin.slash(stratford.channel, "schedule run", schedule=schedule.id))
        (post,) = posts(stratford)
        assert done.ephemeral
        assert done.content.endswith(f"/{stratford.guild.id}/{stratford.channel.id}/{post.id}")
        assert known(world, stratford)[0].next_slot == schedule.next_slot

    async def test_the_servers_settings_and_its_default_model_are_taken_at_each_time(
        self, world: World, stratford: Place, clock: Clock, trained_bundle: Path
    ):
        schedule = await save(world, stratford)
        newer = world.give_model(stratford, trained_bundle, "Marlowe")
        with world.bot.database.write() as session:
            guilds.edit(session, stratford.guild.id, default_model_id=newer, temperature=0.3)
        await clock.at(schedule.next_slot)
        await ended(world, stratford, schedule.id)
        assert "Marlowe · temperature 0.3" in shown(posts(stratford)[0])

    async def test_an_outage_of_discord_is_waited_out(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford)
        world.env.inject_error("POST", "/channels/*/messages", status=503, times=2)
        slot = schedule.next_slot
        for seconds in range(0, 60, 10):
            await clock.at(slot + datetime.timedelta(seconds=seconds))
            await asyncio.sleep(0.5)
        assert await ended(world, stratford, schedule.id) == [PostState.SENT]
        assert len(posts(stratford)) == 1

    async def test_a_schedule_goes_on_after_a_restart(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford)
        await world.restart()
        clock.watch()
        await clock.at(schedule.next_slot)
        assert await ended(world, stratford, schedule.id) == [PostState.SENT]


class TestPaused:
    async def reason(self, world: World, place: Place, schedule: Schedule, clock: Clock) -> str:
        """Why the schedule is paused after its next slot, as the list shows it."""
        await clock.at(schedule.next_slot)
        assert await ended(world, place, schedule.id) == [PostState.FAILED]
        await world.bot.poster.tick()
        (now,) = known(world, place)
        assert now.state is ScheduleState.PAUSED
        listing = shown(answer(await place.admin.slash(place.channel, "schedule list")))
        assert "**Paused**" in listing
        return listing

    async def test_when_its_channel_is_gone(self, world: World, stratford: Place, clock: Clock):
        room = stratford.guild.create_text_channel("room")
        schedule = await save(world, stratford, channel=room)
        world.env.backend.delete_channel(room.id)
        await world.env.settle()
        assert "Its channel is gone." in await self.reason(world, stratford, schedule, clock)

    async def test_when_the_bot_may_not_write_there(self, world: World, stratford: Place, clock: Clock):
        room = stratford.guild.create_text_channel("room")
        schedule = await save(world, stratford, channel=room)
        denied = Overwrite(world.bot.user.id, OverwriteType.MEMBER, deny=1 << 11)
        world.env.backend.set_overwrite(room.id, denied)
        await world.env.settle()
        assert "I lack Send Messages" in await self.reason(world, stratford, schedule, clock)

    async def test_when_its_maker_lost_the_right(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford)
        helper = second_manager(world, stratford)
        await demote(world, stratford)
        stratford.admin = helper
        reason = await self.reason(world, stratford, schedule, clock)
        assert "Who made it has no Manage Server any more." in reason

        # Another manager takes it over by resuming it.
        await helper.slash(stratford.channel, "schedule resume", schedule=schedule.id)
        (resumed,) = known(world, stratford)
        assert (resumed.state, resumed.created_by) == (ScheduleState.ACTIVE, helper.id)

    async def test_when_its_maker_left(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford)
        helper = second_manager(world, stratford)
        stratford.guild.remove_member(stratford.admin)
        stratford.admin = helper
        assert "Who made it has left" in await self.reason(world, stratford, schedule, clock)

    async def test_when_its_model_is_deleted_and_its_channel_is_told_once(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(world, stratford, model="Bard")
        with world.bot.database.write() as session:
            paused = schedules.pause_for_model(
                session, stratford.guild.id, schedule.model_id, "Its model “Bard” was deleted."
            )
        assert paused == 1
        for _ in range(2):
            await world.bot.poster.tick()
        told = [m for m in stratford.channel.history() if "A schedule is paused" in shown(m)]
        assert len(told) == 1
        assert "Its model “Bard” was deleted." in shown(told[0])
        listing = shown(answer(await stratford.admin.slash(stratford.channel, "schedule list")))
        assert "Its model “Bard” was deleted." in listing

    async def test_when_there_is_nothing_to_write_with(self, world: World, clock: Clock):
        empty = world.place()
        schedule = await save(world, empty)
        assert "no model to write with" in await self.reason(world, empty, schedule, clock)

    async def test_when_the_model_never_saw_its_seed(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford, seed="日本")
        assert "日" in await self.reason(world, stratford, schedule, clock)


class TestStop:
    async def test_a_manager_stops_it_with_the_button_of_a_post_even_after_a_restart(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(world, stratford)
        await stratford.admin.slash(stratford.channel, "schedule run", schedule=schedule.id)
        (post,) = posts(stratford)
        await world.restart()
        clock.watch()
        refused = private_line(await stratford.member.click(post, label="Stop"))
        assert refused == "Schedules take the permission Manage Server."
        said = answer(await stratford.admin.click(post, label="Stop"))
        assert not said.ephemeral
        assert f"{stratford.admin.name} stopped the schedule" in said.content
        assert "daily 09:00" in said.content
        assert "paused already" in private_line(await stratford.admin.click(post, label="Stop"))
        await clock.at(schedule.next_slot)
        assert len(posts(stratford)) == 1
        with world.bot.database.read() as session:
            assert audit.listing(session, stratford.guild.id)[0].action == "post.stopped"

    async def test_pause_resume_and_remove(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford)
        choices = await stratford.admin.autocomplete(stratford.channel, "schedule pause", "schedule", "")
        assert choices == [{"name": f"#{schedule.id} · daily 09:00 UTC", "value": schedule.id}]
        paused = await stratford.admin.slash(stratford.channel, "schedule pause", schedule=schedule.id)
        assert "is paused" in private_line(paused)
        await clock.at(schedule.next_slot + DAY)
        assert slots(world, stratford, schedule.id) == {}
        await stratford.admin.slash(stratford.channel, "schedule resume", schedule=schedule.id)
        (resumed,) = known(world, stratford)
        assert resumed.next_slot == schedule.next_slot + 2 * DAY
        again = await stratford.admin.slash(stratford.channel, "schedule resume", schedule=schedule.id)
        assert private_line(again) == "This schedule is not paused."
        await stratford.admin.slash(stratford.channel, "schedule run", schedule=schedule.id)
        removed = await stratford.admin.slash(stratford.channel, "schedule remove", schedule=schedule.id)
        assert "is removed" in private_line(removed)
        assert known(world, stratford) == []
        with world.bot.database.read() as session:
            actions = [event.action for event in audit.listing(session, stratford.guild.id)]
        assert actions == ["schedule.removed", "schedule.resumed", "schedule.paused", "schedule.added"]
