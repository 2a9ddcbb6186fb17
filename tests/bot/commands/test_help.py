"""`/help`, as it is written from the tree."""

from types import SimpleNamespace

from discord import app_commands

from bot.embeds.help_card import commands_card
from models import guilds
from tests.support.bot.world import World, answer, private_line, shown


async def test_it_lists_every_command_with_who_may_use_it(world: World):
    stratford = world.place()
    message = answer(await stratford.member.slash(stratford.channel, "help"))
    assert message.ephemeral
    text = shown(message)
    ids = {command.name: command.id for command in await world.bot.tree.fetch_commands()}
    for command in world.bot.tree.get_commands():
        if isinstance(command, app_commands.Command) and command.name != "help":
            assert f"</{command.name}:{ids[command.name]}> {command.description}" in text
        if isinstance(command, app_commands.Group):
            first, *others = (each.name for each in command.commands)
            assert f"</{command.name} {first}:{ids[command.name]}> · {' · '.join(others)}" in text
    assert "</privacy show:" in text, "not the one that deletes"
    assert "under Apps: **Continue this**, **Did you write this?**" in text
    assert "Write a text in the style of one of this server's models.\n" in text
    assert "everyone" not in text
    assert "Set up · Manage Server\n" in text
    assert "Train a model on a text that you may use. · *Manage Server*" in text


async def test_it_answers_while_discord_does_not_name_the_commands(world: World):
    stratford = world.place()
    world.env.inject_error("GET", "/applications/*/commands", status=404, times=1)
    plain = shown(answer(await stratford.member.slash(stratford.channel, "help")))
    assert "</" not in plain
    assert "/generate" in plain
    assert "</generate:" in shown(answer(await stratford.member.slash(stratford.channel, "help")))


async def test_it_shows_the_roles_that_the_server_chose(world: World):
    stratford = world.place()
    poets = stratford.guild.create_role("Poets")
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, generate_role_id=poets.id, trainer_role_id=poets.id)
    text = shown(answer(await stratford.member.slash(stratford.channel, "help")))
    assert text.count(f"*<@&{poets.id}> and Manage Server*") == 4


async def test_one_command_is_shown_with_all_its_options(world: World):
    stratford = world.place()
    text = shown(answer(await stratford.member.slash(stratford.channel, "help", command="/train")))
    assert "`corpus` *required* A text file" in text
    assert "`minutes` How long" in text
    offered = await stratford.member.autocomplete(stratford.channel, "help", "command", "sett")
    assert [each["value"] for each in offered] == ["settings edit", "settings reset", "settings show"]
    line = private_line(await stratford.member.slash(stratford.channel, "help", command="@everyone"))
    assert line == "There is no command /@\u200beveryone."


async def test_it_stays_within_an_embed_however_many_commands_there_are(world: World):
    def command(number: int) -> SimpleNamespace:
        return SimpleNamespace(
            qualified_name=f"command-{number:03d}-with-a-long-name",
            name=f"command-{number:03d}-with-a-long-name",
            description="D" * 100,
            root_parent=None,
            default_permissions=None,
        )

    embed = commands_card([command(number) for number in range(100)], [], {}, None)
    assert len(embed) <= 6000
    assert len(embed.fields) <= 25
    assert all(len(field.value) <= 1024 for field in embed.fields)
