"""What passes is waited out: no schedule is paused by it, no server is kept waiting by another's."""

import asyncio
import datetime
import shutil
import time
from pathlib import Path

import discord
import pytest
from simcord.backend.models.channel import Overwrite, OverwriteType

from bot.bundles.publishing import publish_bundle
from bot.errors import SamplerUnavailable
from models import DatabaseError, PostState, Schedule, ScheduleState, scheduled_posts, schedules
from tests.support.bot.schedules import DAY, HOUR, MONDAY, Clock, known, posts, save, slots
from tests.support.bot.world import Place, World, answer, shown

SECOND = datetime.timedelta(seconds=1)
MINUTE = datetime.timedelta(minutes=1)


pytestmark = pytest.mark.usefixtures("clock")


async def settle(world: World, seconds: float = 5.0) -> None:
    """Let attempts that were begun come to their end."""
    deadline = time.monotonic() + seconds
    while True:
        await asyncio.sleep(0.1)
        poster = world.bot.poster
        if not (poster._running) or time.monotonic() > deadline:
            return


async def look(world: World, clock: Clock, moment: datetime.datetime) -> None:
    """What looks at a moment come to; a second one finds what the end of an attempt kept the first from."""
    for _ in range(2):
        await clock.at(moment)
        await settle(world)


async def end(world: World, place: Place, schedule: Schedule, clock: Clock) -> list[PostState]:
    """Look until all slots have ended."""
    for _ in range(100):
        states = list(slots(world, place, schedule.id).values())
        if states and all(state.is_final for state in states):
            return states
        await look(world, clock, clock.moment)
    raise AssertionError(states)


def forbid(world: World, place: Place, permission: str | None) -> None:
    denied = discord.Permissions(**{permission: True}).value if permission else 0
    world.env.backend.set_overwrite(
        place.channel.id, Overwrite(world.bot.user.id, OverwriteType.MEMBER, deny=denied)
    )


def refusal(status: int, code: int) -> discord.HTTPException:
    class Response:
        reason = "as Discord puts it"

    Response.status = status
    kind = {403: discord.Forbidden, 404: discord.NotFound}.get(status, discord.HTTPException)
    return kind(Response(), {"code": code, "message": "no"})


class TestPosts:
    @pytest.mark.parametrize("lacking", ["send_messages", "embed_links", "view_channel"])
    @pytest.mark.slow
    async def test_a_right_that_is_missing_for_a_moment_is_waited_for(
        self, world: World, stratford: Place, clock: Clock, lacking: str
    ):
        schedule = await save(world, stratford)
        forbid(world, stratford, lacking)
        await world.env.settle()
        await look(world, clock, schedule.next_slot)
        await look(world, clock, schedule.next_slot + 10 * SECOND)
        assert slots(world, stratford, schedule.id) == {schedule.next_slot: PostState.DUE}
        forbid(world, stratford, None)
        await world.env.settle()
        await look(world, clock, schedule.next_slot + 3 * MINUTE)
        assert await end(world, stratford, schedule, clock) == [PostState.SENT]
        assert known(world, stratford)[0].state is ScheduleState.ACTIVE

    async def test_one_that_stays_missing_pauses_the_schedule_with_its_name(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(world, stratford)
        forbid(world, stratford, "send_messages")
        await world.env.settle()
        for minutes in (0, 3, 11):
            await look(world, clock, schedule.next_slot + minutes * MINUTE)
        (now,) = known(world, stratford)
        assert (now.state, now.paused_reason) == (
            ScheduleState.PAUSED,
            "I lack Send Messages, Embed Links in its channel.",
        )

    async def test_who_asks_out_of_turn_is_told_at_once_and_nothing_is_paused(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(world, stratford)
        room = stratford.guild.create_text_channel("room")
        forbid(world, stratford, "send_messages")
        await world.env.settle()
        asked = {"schedule": schedule.id}
        told = answer(await stratford.admin.slash(room, "schedule run", **asked))
        assert told.content == "Nothing was posted. I lack Send Messages, Embed Links in its channel."
        assert known(world, stratford)[0].state is ScheduleState.ACTIVE

    @pytest.mark.parametrize(
        "error",
        [
            refusal(403, 50013),
            refusal(403, 50001),
            refusal(500, 0),
            refusal(503, 0),
            refusal(429, 0),
            TimeoutError(),
            ConnectionResetError(),
        ],
        ids=repr,
    )
    @pytest.mark.slow
    async def test_what_discord_refuses_for_a_moment_is_posted_afterwards_once(
        self, world: World, stratford: Place, clock: Clock, error: Exception
    ):
        schedule = await save(world, stratford)
        send, refused = world.bot.http.send_message, [error, error]

        async def send_message(channel_id: int, *, params):
            if refused:
                raise refused.pop()
            return await send(channel_id, params=params)

        world.bot.http.send_message = send_message
        for seconds in (0, 6, 20):
            await look(world, clock, schedule.next_slot + seconds * SECOND)
        assert await end(world, stratford, schedule, clock) == [PostState.SENT]
        assert len(posts(stratford)) == 1
        assert known(world, stratford)[0].state is ScheduleState.ACTIVE

    @pytest.mark.parametrize("error", [refusal(403, 50001), refusal(404, 10004), refusal(503, 0)], ids=repr)
    @pytest.mark.slow
    async def test_an_outage_that_hides_who_made_it_is_no_leaving(
        self, world: World, stratford: Place, clock: Clock, error: Exception, monkeypatch: pytest.MonkeyPatch
    ):
        schedule = await save(world, stratford)
        get_member, refused = world.bot.http.get_member, [error]

        async def fetch(*args):
            if refused:
                raise refused.pop()
            return await get_member(*args)

        monkeypatch.setattr(world.bot.http, "get_member", fetch)
        for seconds in (0, 6):
            await look(world, clock, schedule.next_slot + seconds * SECOND)
        assert await end(world, stratford, schedule, clock) == [PostState.SENT]

    @pytest.mark.parametrize("fault", ["sampler", "database before", "database after"])
    @pytest.mark.slow
    async def test_a_sampler_that_restarts_and_a_busy_database_are_waited_for(
        self, world: World, stratford: Place, clock: Clock, fault: str, monkeypatch: pytest.MonkeyPatch
    ):
        schedule = await save(world, stratford)
        delivery, failed = world.bot.poster._delivery, []

        def once(function, error: Exception):
            async def faulty(*args, **kwargs):
                if not failed:
                    failed.append(error)
                    raise error
                return await function(*args, **kwargs)

            return faulty

        if fault == "sampler":
            monkeypatch.setattr(
                world.bot.pool, "samples", once(world.bot.pool.samples, SamplerUnavailable("restarts"))
            )
        elif fault == "database before":
            monkeypatch.setattr(delivery, "_prepare", once(delivery._prepare, DatabaseError("locked")))
        else:
            record = delivery._record
            monkeypatch.setattr(delivery, "_record", once(record, DatabaseError("locked")))
        for seconds in (0, 300):  # longer than Discord remembers a message
            await look(world, clock, schedule.next_slot + seconds * SECOND)
        assert failed
        assert await end(world, stratford, schedule, clock) == [PostState.SENT]
        assert len(posts(stratford)) == 1

    @pytest.mark.parametrize("times", [1, 2])
    async def test_a_model_that_is_replaced_while_it_writes_writes_again(
        self, world: World, stratford: Place, clock: Clock, trained_bundle: Path, times: int
    ):
        schedule = await save(world, stratford)
        samples, replaced = world.bot.pool.samples, []

        async def replace_first(request):
            if len(replaced) < times:
                folder = world.bot.layout.bundle(stratford.guild.id, f"retrained-{len(replaced)}")
                shutil.copytree(trained_bundle, folder)
                with world.bot.database.write() as session:
                    _, old = publish_bundle(
                        session, stratford.guild.id, folder, name="Bard", created_by=stratford.admin.id
                    )
                shutil.rmtree(old if Path(old).is_absolute() else world.bot.layout.data_dir / old)
                replaced.append(old)
            return await samples(request)

        world.bot.pool.samples = replace_first
        await look(world, clock, schedule.next_slot)
        assert await end(world, stratford, schedule, clock) == [PostState.SENT]
        assert known(world, stratford)[0].state is ScheduleState.ACTIVE


class TestFairTurns:
    @pytest.mark.slow
    async def test_what_an_unavailable_server_has_due_fills_no_page_and_is_not_asked_for(
        self, world: World, stratford: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ):
        mine = await save(world, stratford, "daily 10:00")
        down = world.place("Down")
        nine = MONDAY + HOUR
        with world.bot.database.write() as session:
            for person in range(150):
                draft = schedules.add_draft(
                    session,
                    down.guild.id,
                    channel_id=down.channel.id,
                    created_by=person,
                    rule="daily 09:00",
                    timezone="UTC",
                    anchor=MONDAY,
                )
                schedules.confirm(session, down.guild.id, draft.id, next_slot=nine)
        world.bot.get_guild(down.guild.id).unavailable = True
        asked, attempt = [], world.bot.poster._delivery.attempt

        async def counted(slot):
            asked.append(slot)
            return await attempt(slot)

        monkeypatch.setattr(world.bot.poster._delivery, "attempt", counted)
        for seconds in (0, 10, 20):
            await clock.at(nine + seconds * SECOND)
        await look(world, clock, mine.next_slot)
        assert len(posts(stratford)) == 1
        assert {slot[0] for slot in asked} == {stratford.guild.id}

    async def test_a_channel_that_makes_the_bot_wait_holds_up_no_other(
        self, world: World, stratford: Place, clock: Clock, trained_bundle: Path
    ):
        abbey = world.place("Abbey")
        world.give_model(abbey, trained_bundle)
        for _ in range(3):
            await save(world, stratford)
        mine = await save(world, abbey)
        with world.bot.database.write() as session:  # a notice waits there as well
            paused = schedules.listing(session, stratford.guild.id)[0]
            schedules.pause(session, stratford.guild.id, paused.id, reason="so", notice=True)
        send, go_on = world.bot.http.send_message, asyncio.Event()

        async def send_message(channel_id: int, *, params):
            if channel_id == stratford.channel.id:
                await go_on.wait()
            return await send(channel_id, params=params)

        world.bot.http.send_message = send_message
        await clock.at(mine.next_slot)
        assert await end(world, abbey, mine, clock) == [PostState.SENT]
        assert world.bot.poster._running, "the other channel's wait still"
        go_on.set()
        assert await end(world, stratford, known(world, stratford)[1], clock) == [PostState.SENT]
        assert await end(world, stratford, known(world, stratford)[2], clock) == [PostState.SENT]
        assert len(posts(stratford)) == 2

    async def paused_while_discord_refuses(self, world: World, place: Place) -> Schedule:
        """A paused schedule, and a Discord that refuses the next message, which would tell its channel."""
        schedule = await save(world, place)
        with world.bot.database.write() as session:
            schedules.pause(session, place.guild.id, schedule.id, reason="so", notice=True)
        world.env.inject_error("POST", "/channels/*/messages", status=503)
        return schedule

    async def test_a_notice_that_is_refused_for_a_moment_is_told_later(
        self, world: World, stratford: Place, clock: Clock
    ):
        await self.paused_while_discord_refuses(world, stratford)
        notices = world.bot.poster._notices
        for _ in range(3):
            await world.bot.poster.tick()
            notices._failures = {number: (count, 0.0) for number, (count, _) in notices._failures.items()}
        told = [
            message for message in stratford.channel.history() if "A schedule is paused" in shown(message)
        ]
        assert len(told) == 1

    async def test_a_notice_that_is_no_longer_due_is_forgotten(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await self.paused_while_discord_refuses(world, stratford)
        await world.bot.poster.tick()
        assert world.bot.poster._notices._failures
        with world.bot.database.write() as session:
            schedules.remove(session, stratford.guild.id, schedule.id)
        await world.bot.poster.tick()
        assert not world.bot.poster._notices._failures


class TestClock:
    async def year_ahead(self, world: World, place: Place, clock: Clock) -> Schedule:
        schedule = await save(world, place)
        await look(world, clock, MONDAY)
        await look(world, clock, MONDAY + 400 * DAY)
        assert known(world, place)[0].next_slot > MONDAY + 400 * DAY
        return schedule

    @pytest.mark.slow
    async def test_a_clock_that_was_a_year_ahead_loses_no_post(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await self.year_ahead(world, stratford, clock)
        await look(world, clock, MONDAY + 5 * SECOND)
        assert known(world, stratford)[0].next_slot == schedule.next_slot
        assert slots(world, stratford, schedule.id) == {}
        for day in range(2):
            await look(world, clock, schedule.next_slot + day * DAY + 5 * SECOND)
        assert await end(world, stratford, schedule, clock) == [PostState.SENT] * 2

    async def test_one_that_came_back_while_the_bot_was_away_loses_none_either(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await self.year_ahead(world, stratford, clock)
        await world.restart()
        clock.moment = MONDAY + 10 * SECOND
        clock.watch()
        await look(world, clock, clock.moment)
        assert known(world, stratford)[0].next_slot == schedule.next_slot

    @pytest.mark.parametrize("back", [MINUTE, HOUR, DAY])
    @pytest.mark.slow
    async def test_one_that_goes_back_posts_nothing_twice(
        self, world: World, stratford: Place, clock: Clock, back: datetime.timedelta
    ):
        schedule = await save(world, stratford)
        slot = schedule.next_slot
        await look(world, clock, slot)
        assert len(posts(stratford)) == 1
        for moment in (slot - back, slot, slot + MINUTE):
            await look(world, clock, moment)
        assert [post.slot for post in self.sent(world, stratford, schedule)] == [slot]
        assert known(world, stratford)[0].next_slot == slot + DAY

    def sent(self, world: World, place: Place, schedule: Schedule):
        with world.bot.database.read() as session:
            rows = scheduled_posts.listing(session, place.guild.id, schedule.id)
        return [row for row in rows if row.state is PostState.SENT]

    async def test_a_rule_that_cannot_be_read_any_more_pauses_its_schedule_alone(
        self, world: World, stratford: Place, clock: Clock
    ):
        schedule = await save(world, stratford)
        with world.bot.database.write() as session:
            schedules.get(session, stratford.guild.id, schedule.id).timezone = "localtime"
        await look(world, clock, schedule.next_slot)
        (now,) = known(world, stratford)
        assert now.state is ScheduleState.PAUSED
        assert "“localtime” is not a time zone" in now.paused_reason
