"""What is posted when, what is caught up with, and what pauses a schedule."""

import asyncio
import datetime
from pathlib import Path

import pytest

from models import PostState, Schedule, ScheduleState, guilds, schedules
from tests.support.bot.schedules import (
    DAY,
    HOUR,
    MONDAY,
    Clock,
    demote,
    ended,
    known,
    posts,
    save,
    second_manager,
    slots,
)
from tests.support.bot.world import Place, World, answer, shown

pytestmark = pytest.mark.usefixtures("clock")


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
        assert [button.label for row in post.components for button in row.children] == ["Stop", "Report"]
        assert known(world, stratford)[0].next_slot == schedule.next_slot + DAY

    async def test_the_loop_of_the_bot_finds_it_by_itself(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford)
        clock.moment = schedule.next_slot
        message = await world.until(stratford, "daily 09:00 UTC")
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

    @pytest.mark.slow
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

    async def test_a_post_that_copies_its_corpus_is_drawn_again_and_the_same_in_every_attempt(
        self, world: World, stratford: Place, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("bot.scheduling.poster._drawn", lambda: 3)
        schedule = await save(world, stratford, seed="to be", length=120)
        said = await stratford.member.slash(
            stratford.channel, "generate", seed="to be", length=120, random_seed=3
        )
        copied = answer(said).embeds[0].description.removeprefix("**to be**").replace("\\", "")
        world.learn_from(stratford, f"Before. {copied} After.", tmp_path)
        texts = []
        for _ in range(2):
            await stratford.admin.slash(stratford.channel, "schedule run", schedule=schedule.id)
            texts.append(shown(posts(stratford)[-1]))
            await asyncio.sleep(1)  # posts out of turn are told apart by their second
        assert copied not in texts[0].replace("\\", "")
        assert "copied from the corpus" not in texts[0]
        assert texts[0] == texts[1]

    async def test_a_post_can_be_reported(self, world: World, stratford: Place, clock: Clock):
        room = stratford.guild.create_text_channel("reports")
        with world.bot.database.write() as session:
            guilds.edit(session, stratford.guild.id, report_channel_id=room.id)
        schedule = await save(world, stratford)
        await clock.at(schedule.next_slot)
        await ended(world, stratford, schedule.id)
        (post,) = posts(stratford)
        await stratford.member.click(post, label="Report")
        assert "Reported text" in shown(room.last_message)


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
        assert "Its channel was deleted." in await self.reason(world, stratford, schedule, clock)

    async def test_when_its_maker_lost_the_right(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford)
        helper = second_manager(world, stratford)
        await demote(world, stratford)
        stratford.admin = helper
        reason = await self.reason(world, stratford, schedule, clock)
        assert "The person who created it no longer has Manage Server." in reason

        # Another manager takes it over by resuming it.
        await helper.slash(stratford.channel, "schedule resume", schedule=schedule.id)
        (resumed,) = known(world, stratford)
        assert (resumed.state, resumed.created_by) == (ScheduleState.ACTIVE, helper.id)

    async def test_when_its_maker_left(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford)
        helper = second_manager(world, stratford)
        stratford.guild.remove_member(stratford.admin)
        stratford.admin = helper
        assert "The person who created it has left" in await self.reason(world, stratford, schedule, clock)

    async def test_when_its_model_is_deleted_and_its_channel_is_told_once(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(world, stratford, model="Bard")
        with world.bot.database.write() as session:
            schedules.pause_for_model(
                session, stratford.guild.id, schedule.model_id, "Its model “Bard” was deleted."
            )
            assert [each.id for each in schedules.to_tell(session)] == [schedule.id]
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
        assert "This server has no model yet." in await self.reason(world, empty, schedule, clock)

    async def test_when_the_model_never_saw_its_seed(self, world: World, stratford: Place, clock: Clock):
        schedule = await save(world, stratford, seed="日本")
        assert "日" in await self.reason(world, stratford, schedule, clock)
