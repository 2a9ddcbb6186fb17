"""A schedule of another server is answered like one that is not there, whichever way it is named."""

import pytest

from models import Schedule, ScheduleState, schedules
from tests.bot.guilds.test_guild_wall import forge
from tests.support.bot.schedules import add, known, posts, save
from tests.support.bot.world import Place, World, private_line

ABSENT = 999_999


pytestmark = pytest.mark.usefixtures("clock")


def state(world: World, place: Place, schedule: Schedule) -> Schedule:
    with world.bot.database.read() as session:
        return schedules.get(session, place.guild.id, schedule.id)


async def test_no_command_finds_it_and_no_choice_offers_it(world: World, stratford: Place, abbey: Place):
    theirs = await save(world, stratford)
    for name in ("pause", "resume", "run", "remove"):
        command = f"schedule {name}"
        foreign, absent = [
            private_line(await abbey.admin.slash(abbey.channel, command, schedule=each))
            for each in (theirs.id, ABSENT)
        ]
        assert foreign == absent == "There is no such schedule here. /schedule list shows what there is."
        assert await abbey.admin.autocomplete(abbey.channel, command, "schedule", "") == []
    line = private_line(await abbey.admin.slash(abbey.channel, "schedule list"))
    assert line == "This server has no schedules yet. Add one: /schedule add"
    assert state(world, stratford, theirs).state is ScheduleState.ACTIVE
    assert posts(stratford) == []


async def test_neither_a_model_nor_a_channel_of_another_server_is_taken(
    world: World, stratford: Place, abbey: Place
):
    foreign, absent = [
        private_line(await abbey.admin.slash(abbey.channel, "schedule add", when="hourly", model=name))
        for name in ("Bard", "Drab")
    ]
    assert foreign.replace("Bard", "?") == absent.replace("Drab", "?")
    assert await abbey.admin.autocomplete(abbey.channel, "schedule add", "model", "", when="hourly") == [
        {"name": "Monk", "value": "Monk"}
    ]
    assert known(world, abbey) == []


@pytest.mark.parametrize("action", ["confirm", "cancel"])
@pytest.mark.slow
async def test_a_forged_button_of_a_preview_saves_and_forgets_nothing(
    world: World, stratford: Place, abbey: Place, action: str
):
    preview = await add(stratford)
    stored = world.env.backend.get_message(stratford.channel.id, preview.id)
    stolen = stored.components[0]["components"][action == "cancel"]["custom_id"]
    assert stolen.endswith(action)
    await save(world, abbey)
    await abbey.admin.slash(abbey.channel, "schedule run", schedule=known(world, abbey)[0].id)
    (post,) = posts(abbey)
    forge(world, abbey, post.id, stolen)
    await abbey.admin.click(post, label="Stop")
    await stratford.admin.click(preview.message, label="Confirm")
    assert len(known(world, stratford)) == 1
    assert len(known(world, abbey)) == 1


async def test_a_forged_stop_button_stops_nothing(world: World, stratford: Place, abbey: Place):
    theirs, ours = await save(world, stratford), await save(world, abbey)
    await abbey.admin.slash(abbey.channel, "schedule run", schedule=ours.id)
    (post,) = posts(abbey)
    lines = []
    for schedule_id in (theirs.id, ABSENT):
        forge(world, abbey, post.id, f"stop-posts:{schedule_id}")
        lines.append(private_line(await abbey.admin.click(post, label="Stop")))
    assert lines[0] == lines[1]
    assert state(world, stratford, theirs).state is ScheduleState.ACTIVE
