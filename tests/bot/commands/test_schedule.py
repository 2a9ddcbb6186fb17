"""Schedules as those who manage a server use them, in a simulated Discord."""

import datetime

import discord
import pytest

from models import audit, guilds
from tests.support.bot.schedules import (
    DAY,
    UTC,
    Clock,
    add,
    demote,
    known,
    posts,
    save,
    second_manager,
    slots,
)
from tests.support.bot.world import Place, World, answer, private_line, shown

pytestmark = pytest.mark.usefixtures("clock")


BAD_OPTIONS = [
    ({"when": "sometimes"}, "I do not understand “sometimes”. Use “daily 09:00”"),
    ({"when": "every 10 minutes"}, "at least 30 minutes between two posts"),
    ({"when": "*/5 * * * *"}, "at least 30 minutes between two posts"),
    ({"when": "@everyone 09:00"}, "I do not understand"),
    ({"timezone": "Mars/Olympus"}, "“Mars/Olympus” is not a time zone"),
    ({"timezone": "../../etc/passwd"}, "is not a time zone"),
    ({"model": "Nobody"}, "no model named “Nobody” here"),
]


class TestAdd:
    async def test_it_shows_the_next_three_times_and_saves_after_a_confirmation(
        self, world: World, stratford: Place
    ):
        preview = await add(stratford, "Weekdays at 9:30", timezone="europe/berlin", model="bard")
        assert preview.ephemeral
        text = shown(preview)
        for number in range(3):
            moment = datetime.datetime(2027, 3, 1 + number, 8, 30, tzinfo=UTC)
            assert f"<t:{moment.timestamp():.0f}:F>" in text
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
        for options, says in BAD_OPTIONS:
            given = {"when": "daily 09:00"} | options
            line = private_line(await stratford.admin.slash(stratford.channel, "schedule add", **given))
            assert says in line.replace("\\", "")
            assert "@everyone" not in line
        assert known(world, stratford) == []

    async def test_a_server_has_a_limited_number_of_schedules(self, world: World, stratford: Place):
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
        assert line == "Schedules are switched off on this server."

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
        assert "you may write yourself" in line
        with world.bot.database.write() as session:
            guilds.edit(session, stratford.guild.id, channel_id=silent.id)
        line = private_line(await stratford.admin.slash(stratford.channel, "schedule add", when="hourly"))
        assert f"go to <#{silent.id}> only" in line

    @pytest.mark.parametrize("typed", ["Europe/Kiev", "asia/calcutta", "US/Pacific", "utc", "Ｅurope/Kyiv"])
    async def test_settings_and_schedules_read_the_same_zones(self, stratford: Place, typed: str):
        set_to = answer(await stratford.admin.slash(stratford.channel, "settings edit", timezone=typed))
        by_setting = await add(stratford, "daily 09:00")
        by_name = await add(stratford, "daily 09:00", timezone=typed)
        if typed == "utc":  # that is how it is already
            assert "Nothing changed" in set_to.content
        else:
            assert "Setting changed" in shown(set_to)
        assert by_setting.embeds[0].description == by_name.embeds[0].description

    @pytest.mark.parametrize("entry", ["localtime", "Factory", "posixrules", "U" * 60])
    async def test_what_is_no_place_is_a_zone_nowhere(self, world: World, stratford: Place, entry: str):
        for command in ("settings edit", "schedule add"):
            more = {"when": "hourly"} if command == "schedule add" else {}
            offered = await stratford.admin.autocomplete(
                stratford.channel, command, "timezone", entry[:9], **more
            )
            assert offered == []
        assert "it takes an IANA name" in private_line(
            await stratford.admin.slash(stratford.channel, "settings edit", timezone=entry)
        )
        with world.bot.database.write() as session:  # as versions of before stored it
            guilds.edit(session, stratford.guild.id, timezone=entry)
        told = await add(stratford, "daily 09:00")
        assert told.content.startswith(
            f"This server's setting `timezone` is “{entry}”, which is no time zone"
        )

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
        refusal = "You need the permission Manage Server for schedules."
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


class TestStop:
    @pytest.mark.slow
    async def test_a_manager_stops_it_with_the_button_of_a_post_even_after_a_restart(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(world, stratford)
        await stratford.admin.slash(stratford.channel, "schedule run", schedule=schedule.id)
        (post,) = posts(stratford)
        await world.restart()
        clock.watch()
        refused = private_line(await stratford.member.click(post, label="Stop"))
        assert refused == "You need the permission Manage Server for schedules."
        said = answer(await stratford.admin.click(post, label="Stop"))
        assert not said.ephemeral
        assert f"{stratford.admin.name} paused the schedule" in said.content
        assert "daily 09:00" in said.content
        assert "already paused" in private_line(await stratford.admin.click(post, label="Stop"))
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
