"""`/settings`: what a server chooses, who may choose it, and the trail of it."""

from pathlib import Path

import discord
import pytest
import simcord

from bot.errors import UserError
from bot.guilds import setting_values
from bot.guilds.settings import BY_OPTION, GROUPS, SETTINGS, SHORTEST_COPY
from models import GuildSettings, audit, guilds
from tests.support.bot.world import Place, World, answer, private_line, shown
from textgen.evaluation import copies


async def settings(place: Place, command: str, /, actor=None, **options):
    return await (actor or place.admin).slash(place.channel, f"settings {command}", **options)


def stored(world: World, place: Place) -> GuildSettings:
    with world.bot.database.read() as session:
        return guilds.settings_of(session, place.guild.id)


async def show(place: Place) -> str:
    message = answer(await settings(place, "show"))
    assert message.ephemeral
    return shown(message)


async def test_the_card_shows_every_setting_and_marks_what_was_changed(world: World, trained_bundle: Path):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "Bard")
    before = await show(stratford)
    for setting in SETTINGS:
        assert f"◇ `{setting.option}`" in before
    assert "All settings have their defaults" in before

    changed = answer(
        await settings(
            stratford, "edit", default_model="bard", temperature=1.25, hidden_words="Fie, out , fie"
        )
    )
    assert changed.ephemeral
    assert "`temperature` 0.7 → **1.25**" in shown(changed)
    assert "`default_model` the newest → **Bard**" in shown(changed)
    after = await show(stratford)
    assert "◆ `default_model` **Bard** · default: the newest" in after
    assert "◆ `temperature` **1.25** · default: 0.7" in after
    assert "◆ `hidden_words` **2 words** ||fie, out||" in after
    assert "◇ `length` 500 characters" in after
    assert "3 settings differ from their defaults" in after
    assert stored(world, stratford).hidden_words == "fie\nout"


@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_longest_values_fit_into_what_discord_accepts(
    world: World, trained_bundle: Path, language: str, monkeypatch: pytest.MonkeyPatch
):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "*" * 100)
    role = stratford.guild.create_role("Poets")
    await settings(
        stratford, "edit", default_model="*" * 100, temperature=1.25, length=1999, cooldown=3599.5,
        longest_copy=1999, channel=stratford.channel, generate_role=role, language=language,
        hidden_words=", ".join(f"word*{number}" for number in range(100)),
    )  # fmt: skip
    with world.bot.database.write() as session:  # channel and role are gone meanwhile
        guilds.edit(session, stratford.guild.id, channel_id=5, generate_role_id=6)
    world.speaks(monkeypatch, language)
    (card,) = answer(await settings(stratford, "show")).embeds
    assert len(card.fields) == len(GROUPS) + 2  # one heading needs two fields; the last is what is stored
    assert all(len(field.value) <= 1024 for field in card.fields)
    written = "\n".join(field.value for field in card.fields)
    assert all(f"`{setting.option}`" in written for setting in SETTINGS)


async def test_every_option_of_the_table_can_be_set_and_reset(world: World, trained_bundle: Path):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "Bard")
    role = stratford.guild.create_role("Poets")
    values = {
        "default_model": "Bard", "temperature": 0.0, "length": 2000, "channel": stratford.channel,
        "generate_role": role, "cooldown": 0.5, "longest_copy": 0, "hidden_words": "fie",
        "trainer_role": role, "trainings_a_day": 1, "trainings_a_person": 1, "schedules": 0,
        "language": "de", "timezone": "europe/berlin", "keep_corpora_days": 0,
        "report_channel": stratford.channel,
    }  # fmt: skip
    assert set(values) == set(BY_OPTION)
    await settings(stratford, "edit", **values)
    row = stored(world, stratford)
    assert all(setting_values.changed(setting, row) for setting in SETTINGS)
    assert (row.timezone, row.generate_role_id, row.keep_corpora_days) == ("Europe/Berlin", role.id, 0)
    card = await show(stratford)
    assert f"<@&{role.id}>" in card
    assert f"<#{stratford.channel.id}>" in card

    await settings(stratford, "reset", setting="timezone")
    assert stored(world, stratford).timezone == "UTC"
    assert stored(world, stratford).length == 2000
    await settings(stratford, "reset", setting="all")
    assert not any(setting_values.changed(setting, stored(world, stratford)) for setting in SETTINGS)
    assert "Nothing changed" in private_line(await settings(stratford, "reset", setting="all"))


def test_no_shorter_copy_can_be_asked_for_than_is_looked_for():
    assert SHORTEST_COPY == copies.SHORTEST


async def test_edit_without_an_option_says_what_can_be_given(world: World):
    stratford = world.place()
    message = answer(await settings(stratford, "edit"))
    assert message.ephemeral
    for setting in SETTINGS:
        assert f"`{setting.option}` {setting.description}" in shown(message)
    assert len(message.embeds[0]) < 6000


def a_client_that_checks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord's own client holds people to the bounds; a modified one does not."""
    monkeypatch.setattr(simcord.interactions, "validate_option_value", lambda command, option, value: value)


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("temperature", 2.5, "`temperature` is 2.5; it can be 0 to 2."),
        ("length", 0, "`length` is 0; it can be 1 to 2,000."),
        ("cooldown", -1.0, "`cooldown` is -1; it can be 0 to 3,600."),
        ("longest_copy", 19, "`longest_copy` is 19; it can be 0, or 20 to 2,000."),
        ("keep_corpora_days", 9999, "`keep_corpora_days` is 9,999; it can be 0 to 3,650."),
        ("language", "elvish", "`language` is “elvish”; it can be Deutsch, English."),
        ("timezone", "Middle/Earth", "`timezone` is “Middle/Earth”; it takes an IANA name such as"),
        ("hidden_words", " , ,", "`hidden_words` has 0 words"),
        ("hidden_words", "x" * 61, "the longest of 61 characters; it takes 1 to 200 words of up to 60"),
    ],
)
async def test_what_is_out_of_bounds_is_answered_with_what_came_and_what_can(
    world: World, monkeypatch: pytest.MonkeyPatch, option: str, value: object, line: str
):
    stratford = world.place()
    a_client_that_checks_nothing(monkeypatch)
    said = private_line(await settings(stratford, "edit", **{option: value, "schedules": 3}))
    assert line in said
    assert stored(world, stratford).schedules == 10  # all or nothing


@pytest.mark.parametrize("setting", [each for each in SETTINGS if each.high], ids=lambda each: each.option)
def test_the_bounds_themselves_are_within(setting):
    for value in (setting.low, setting.high):
        assert setting_values.checked(setting, value) == value
    for value in (setting.low - 1, setting.high + 1, float("nan"), float("inf")):
        with pytest.raises(UserError):
            setting_values.checked(setting, value)


async def test_only_who_manages_the_server_may_look_and_change_even_where_the_command_is_shown(world: World):
    stratford = world.place()
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "settings")
    stratford.guild.set_command_permissions(command.id, {stratford.guild.default_role: True})
    ben = stratford.member
    refusal = "You need the permission Manage Server for this."
    assert private_line(await settings(stratford, "show", ben)) == refusal
    assert private_line(await settings(stratford, "edit", ben, schedules=25)) == refusal
    assert private_line(await settings(stratford, "reset", ben, setting="all")) == refusal
    assert await ben.autocomplete(stratford.channel, "settings edit", "default_model", "") == []


async def test_foreign_models_channels_and_roles_are_as_absent_as_those_that_are_not(
    world: World, trained_bundle: Path
):
    stratford, abbey = world.place("Stratford"), world.place("Abbey")
    world.give_model(stratford, trained_bundle, "Bard")
    foreign = private_line(await settings(abbey, "edit", default_model="Bard"))
    absent = private_line(await settings(abbey, "edit", default_model="Drab"))
    assert foreign.replace("Bard", "?") == absent.replace("Drab", "?")

    theirs = world.bot.get_guild(stratford.guild.id)
    ours = world.bot.get_guild(abbey.guild.id)
    for own, ids in (
        (setting_values.own_channel, (stratford.channel.id, 999)),
        (setting_values.own_role, (theirs.roles[-1].id, 999, theirs.id)),
    ):
        for absent_or_foreign in ids:
            with pytest.raises(UserError, match="there is no such"):
                own(ours, BY_OPTION["channel"], absent_or_foreign)
    with pytest.raises(UserError, match="everyone has this role"):
        setting_values.own_role(ours, BY_OPTION["trainer_role"], ours.id)


async def test_a_channel_where_the_bot_may_not_write_is_refused(world: World):
    stratford = world.place()
    mute = {world.bot.user: discord.PermissionOverwrite(send_messages=False)}
    closed = stratford.guild.create_text_channel("closed", overwrites=mute)
    line = private_line(await settings(stratford, "edit", report_channel=closed))
    assert "I lack Send Messages" in line


async def test_the_time_zone_is_offered_while_it_is_typed(world: World):
    stratford = world.place()
    offered = await stratford.admin.autocomplete(stratford.channel, "settings edit", "timezone", "berl")
    assert offered == [{"name": "Europe/Berlin", "value": "Europe/Berlin"}]
    assert len(await stratford.admin.autocomplete(stratford.channel, "settings edit", "timezone", "")) == 25


async def test_each_change_is_in_the_trail_with_its_old_and_new_value(world: World, trained_bundle: Path):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "Bard")
    await settings(stratford, "edit", temperature=1.5, default_model="Bard", hidden_words="secret, words")
    await settings(stratford, "reset", setting="temperature")
    with world.bot.database.read() as session:
        events = audit.listing(session, stratford.guild.id)
    assert [(event.action, event.subject) for event in events] == [
        ("settings.reset", "temperature"),
        ("settings.changed", "hidden_words"),
        ("settings.changed", "temperature"),
        ("settings.changed", "default_model"),
    ]
    assert '"new": 2' in events[1].details
    assert "secret" not in events[1].details

    card = answer(await settings(stratford, "show"))
    trail = answer(await stratford.admin.click(card.message, label="Recent changes"))
    assert trail.ephemeral
    name = stratford.admin.name
    assert f"**{name}** reset `temperature` from 1.5 to 0.7" in shown(trail)
    assert f"**{name}** set `default_model` from the newest to Bard" in shown(trail)
    assert "4 changes" in shown(trail)


async def test_the_trail_is_paged_outlives_a_restart_and_is_for_managers_at_use(world: World):
    stratford = world.place()
    with world.bot.database.write() as session:
        for number in range(40):
            audit.record(session, stratford.guild.id, stratford.member.id, "model.deleted", f"Nr {number}")
        audit.record(session, stratford.guild.id + 1, 5, "model.deleted", "of another server")
    card = answer(await settings(stratford, "show"))
    trail = answer(await stratford.admin.click(card.message, label="Recent changes"))
    assert "Nr 39" in shown(trail)
    assert "Nr 24" not in shown(trail)
    assert "40 changes · page 1 of 3" in shown(trail)
    await world.restart()
    await stratford.admin.click(trail.message, label="Older")
    page = world.env.backend.get_message(stratford.channel.id, trail.id).embeds[0]
    assert "Nr 24" in page["description"]
    assert "another server" not in page["description"]
    for custom_id in ("settings:changes", "settings:changes:1:>"):
        line = private_line(await world.press_forged(stratford, stratford.member, custom_id))
        assert line == "You need the permission Manage Server for this."
