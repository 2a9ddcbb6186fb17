import pytest
import simcord

from bot.app import create_bot
from bot.settings import Settings
from models import text_models
from tests.support.bot.world import World, answer, private_line, shown


async def test_an_unexpected_error_gives_a_reference_that_is_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    stratford = world.place()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(text_models, "listing", broken)
    line = private_line(await stratford.member.slash(stratford.channel, "models"))
    reference = line.split("`")[1]
    assert "on purpose" not in line
    assert reference in capsys.readouterr().out
    (error,) = world.env.errors
    assert "ZeroDivisionError" in str(error)


@pytest.mark.slow
async def test_the_tree_is_synced_when_it_changed_or_is_not_there(settings: Settings, world: World):
    def syncs() -> int:
        return sum(request.method == "PUT" for request in world.env.http_requests)

    assert syncs() == 1
    await world.restart()
    assert syncs() == 1
    world.bot.layout.tree_hash.write_text("an older tree")
    await world.restart()
    assert syncs() == 2
    await world.bot.close()
    await world.env.shutdown()

    elsewhere = simcord.Env(create_bot(settings))  # the same data, a Discord that knows no command
    await elsewhere.start()
    guild = elsewhere.create_guild()
    channel = guild.create_text_channel("quill")
    ben = guild.add_member(elsewhere.create_user("ben"))
    assert "no model here yet" in private_line(await ben.slash(channel, "models"))
    await elsewhere.bot.close()
    await elsewhere.shutdown()


async def test_long_lists_are_paged_and_the_buttons_outlive_a_restart(world: World, trained_bundle):
    stratford = world.place()
    for number in range(19):
        world.give_model(stratford, trained_bundle, f"{'M' * 90} {number:02d}")
    first = answer(await stratford.member.slash(stratford.channel, "models"))
    assert "19 of 100 models · " in shown(first)
    assert "page 1 of 3" in shown(first)
    await world.restart()
    await stratford.member.click(first.message, label="Next")
    assert "page 2 of 3" in shown(stratford.channel.last_message)
    await stratford.member.click(stratford.channel.last_message, label="Next")
    page = shown(stratford.channel.last_message)
    assert "page 3 of 3" in page
    assert f"{'M' * 90} 18" in page
    assert len(page) < 6000


async def test_it_asks_for_no_privileged_intent_and_pings_nobody(world: World):
    assert [name for name, on in world.bot.intents if on] == ["guilds"]
    assert world.bot.allowed_mentions.to_dict() == {"parse": []}
