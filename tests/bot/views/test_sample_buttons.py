"""What people can do with `/generate` besides one text: options, buttons, the message menu, limits."""

import datetime
import re
from pathlib import Path

import discord
import pytest
import simcord

from bot.generation.limits import Cooldowns
from bot.text import safe_text
from models import audit, corpora, guilds, text_models
from tests.support.bot.texts import verdict
from tests.support.bot.world import Place, World, answer, private_line, shown


@pytest.fixture
def stratford(world: World, trained_bundle: Path) -> Place:
    place = world.place()
    world.give_model(place, trained_bundle)
    return place


def configure(world: World, place: Place, **values: object) -> None:
    with world.bot.database.write() as session:
        guilds.edit(session, place.guild.id, **values)


def footer(message: simcord.ResponseMessage, number: int = 0) -> str:
    """The line below a text, without its code."""
    return re.sub(r" · TG1\w+$", "", message.embeds[number].footer.text)


def labels(message: simcord.ResponseMessage) -> list[str]:
    return [button.label for row in message.message.components for button in row.children]


async def test_several_texts_stand_apart_and_each_can_be_drawn_again(stratford: Place):
    options = {"seed": "to be", "length": 80, "top_p": 0.9}
    several = answer(
        await stratford.member.slash(stratford.channel, "generate", count=3, random_seed=40, **options)
    )
    assert len(several.embeds) == 3
    assert len({embed.description for embed in several.embeds}) == 3
    assert footer(several, 1) == "2 of 3 · Bard · temperature 0.7 · top-p 0.9 · random seed 41"
    alone = answer(await stratford.member.slash(stratford.channel, "generate", random_seed=41, **options))
    assert alone.embeds[0].description == several.embeds[1].description
    assert labels(several) == [
        *("Again", "Delete", "Report"),
        *("Continue 1", "Continue 2", "Continue 3"),
    ]


@pytest.mark.slow
async def test_several_long_texts_come_in_part_and_whole_as_files(stratford: Place):
    message = answer(await stratford.member.slash(stratford.channel, "generate", count=5, length=2000))
    assert len(message.embeds) == 5
    assert sum(len(embed) for embed in message.embeds) <= 6000
    names = [attachment.filename for attachment in message.message.attachments]
    assert names == [f"sample-{number}.txt" for number in range(1, 6)]
    assert all("The whole text is attached." in embed.description for embed in message.embeds)
    going_on = answer(await stratford.member.click(message.message, label="Continue 4"))
    whole = (await message.message.attachments[3].read()).decode()
    assert seed(going_on) in whole[-200:]


async def test_a_private_text_is_for_one_person_and_what_follows_from_it_too(stratford: Place):
    first = answer(await stratford.member.slash(stratford.channel, "generate", length=40, private=True))
    assert first.ephemeral
    again = answer(await stratford.member.click(first.message, label="Again"))
    assert again.ephemeral
    assert answer(await stratford.member.click(again.message, label="Continue")).ephemeral


async def test_again_keeps_everything_but_the_random_seed(stratford: Place):
    first = answer(
        await stratford.member.slash(
            stratford.channel, "generate", count=2, top_p=0.75, temperature=1.25, length=30
        )
    )
    again = answer(await stratford.member.click(first.message, label="Again"))
    assert re.fullmatch(r"1 of 2 · Bard · temperature 1.25 · top-p 0.75 · random seed \d+", footer(again))
    assert [embed.description for embed in again.embeds] != [embed.description for embed in first.embeds]


def seed(message: simcord.ResponseMessage) -> str:
    """What stands in bold at the beginning."""
    bold = re.match(r"\*\*(.*?)\*\*", message.embeds[0].description, re.DOTALL)[1]
    return safe_text.unescape(bold)


async def test_continue_goes_on_from_the_end_in_a_new_message_even_after_a_restart(
    world: World, stratford: Place
):
    first = answer(await stratford.member.slash(stratford.channel, "generate", length=400, temperature=0.5))
    await world.restart()
    second = answer(await stratford.member.click(first.message, label="Continue"))
    assert second.id != first.id
    end = first.embeds[0].description.replace("\\", "").replace("**", "")
    assert 50 <= len(seed(second)) <= 100
    assert end.endswith(seed(second))
    assert footer(second).startswith("Bard · temperature 0.5 · random seed ")
    third = answer(await stratford.member.click(second.message, label="Continue"))
    assert (second.embeds[0].description.replace("\\", "").replace("**", "")).endswith(seed(third))


async def test_continue_of_a_shortened_text_goes_on_from_its_last_word(stratford: Place):
    mute = {stratford.guild.me: discord.PermissionOverwrite(attach_files=False)}
    channel = stratford.guild.create_text_channel("mute", overwrites=mute)
    several = answer(await stratford.member.slash(channel, "generate", count=4, length=2000))
    assert "The text is shortened" in several.embeds[1].description
    going_on = answer(await stratford.member.click(several.message, label="Continue 2"))
    shortened = several.embeds[1].description.partition("…\n\n-# ")[0]
    assert safe_text.unescape(shortened).endswith(seed(going_on))
    assert "…" not in seed(going_on)


async def test_the_message_menu_goes_on_from_somebodys_words(world: World, stratford: Place):
    message = await stratford.admin.send(stratford.channel, "<@1> <:owl:12> 日本 Wherefore art thou 🦉")
    result = answer(await stratford.member.context_menu(stratford.channel, "Continue this", message))
    assert seed(result).strip() == "wherefore art thou"
    ours = answer(await stratford.member.slash(stratford.channel, "generate", length=100))
    going_on = answer(await stratford.member.context_menu(stratford.channel, "Continue this", ours.message))
    assert seed(going_on)


@pytest.mark.parametrize("content", ["日本語", "<@1>"])
async def test_the_message_menu_says_where_there_is_nothing_to_go_on_from(stratford: Place, content: str):
    message = await stratford.admin.send(stratford.channel, content)
    result = await stratford.member.context_menu(stratford.channel, "Continue this", message)
    assert private_line(result) in (
        "The model has never seen a single character of this text.",
        "There is no text here to continue.",
    )


async def test_a_text_is_deleted_by_who_asked_or_by_moderators(world: World, stratford: Place):
    moderators = stratford.guild.create_role(
        "Moderators", permissions=discord.Permissions(manage_messages=True)
    )
    moderator = stratford.guild.add_member(world.env.create_user("mo"), roles=[moderators])
    stranger = stratford.guild.add_member(world.env.create_user("eve"))
    for remover in (stratford.member, stratford.admin, moderator):
        sample = answer(await stratford.member.slash(stratford.channel, "generate", length=10))
        assert "Only the person who asked" in private_line(
            await stranger.click(sample.message, label="Delete")
        )
        await remover.click(sample.message, label="Delete")
        with pytest.raises(discord.NotFound):
            await sample.message.fetch()


async def test_a_report_goes_to_the_chosen_channel_once_per_person(world: World, stratford: Place):
    reports = stratford.guild.create_text_channel("reports")
    configure(world, stratford, report_channel_id=reports.id)
    sample = answer(await stratford.admin.slash(stratford.channel, "generate", seed="to be", length=60))
    thanks = private_line(await stratford.member.click(sample.message, label="Report"))
    assert thanks == "Thank you. Your report was sent to the people who look after this server."
    report = reports.last_message
    text = shown(report)
    assert sample.message.jump_url in text
    assert f"<@{stratford.member.id}>" in text
    assert "> to be" in text
    assert not report.mentions
    assert private_line(await stratford.member.click(sample.message, label="Report")) == (
        "You have already reported this text."
    )
    await stratford.admin.click(sample.message, label="Report")
    with world.bot.database.read() as session:
        events = audit.listing(session, stratford.guild.id)
    assert [(event.action, event.actor_id) for event in events] == [
        ("sample.reported", stratford.admin.id),
        ("sample.reported", stratford.member.id),
    ]


async def test_a_report_without_a_channel_is_noted_and_says_who_can_choose_one(
    world: World, stratford: Place
):
    sample = answer(await stratford.admin.slash(stratford.channel, "generate", length=60))
    line = private_line(await stratford.member.click(sample.message, label="Report"))
    assert "is noted" in line
    assert "Manage Server can choose one" in line
    with world.bot.database.read() as session:
        assert [event.subject for event in audit.listing(session, stratford.guild.id)] == [str(sample.id)]


async def test_a_report_to_a_channel_that_is_gone_says_so(world: World, stratford: Place):
    configure(world, stratford, report_channel_id=4)
    sample = answer(await stratford.admin.slash(stratford.channel, "generate", length=60))
    told = private_line(await stratford.member.click(sample.message, label="Report"))
    assert "no longer exists" in told
    assert "Manage Server" in told


async def test_outside_the_chosen_channel_only_managers_generate(world: World, stratford: Place):
    elsewhere = stratford.guild.create_text_channel("elsewhere")
    configure(world, stratford, channel_id=stratford.channel.id)
    for options in ({}, {"private": True}):
        refused = await stratford.member.slash(elsewhere, "generate", length=10, **options)
        assert private_line(refused) == (
            f"On this server you can generate texts in <#{stratford.channel.id}> only."
        )
    theirs = answer(await stratford.admin.slash(elsewhere, "generate", length=10))
    for label in ("Again", "Continue"):
        assert "you can generate texts in" in private_line(
            await stratford.member.click(theirs.message, label=label)
        )
    note = await stratford.member.send(elsewhere, "to be")
    refused = await stratford.member.context_menu(elsewhere, "Continue this", note)
    assert "you can generate texts in" in private_line(refused)
    assert not answer(await stratford.member.slash(stratford.channel, "generate", length=10)).ephemeral


async def test_a_person_who_asks_too_soon_is_told_how_long_to_wait(world: World, stratford: Place):
    now = 100.0
    world.bot.cooldowns.clock = lambda: now
    sample = answer(await stratford.member.slash(stratford.channel, "generate", length=10))
    now += 0.6
    for result in (
        await stratford.member.slash(stratford.channel, "generate", length=10),
        await stratford.member.click(sample.message, label="Again"),
        await stratford.member.click(sample.message, label="Continue"),
    ):
        assert private_line(result) == "One moment, please: you can ask for the next text in 3 seconds."
    now += 1.5
    refused = await stratford.member.slash(stratford.channel, "generate", length=10)
    assert private_line(refused) == "One moment, please: you can ask for the next text in 1 second."
    assert not answer(await stratford.admin.slash(stratford.channel, "generate", length=10)).ephemeral
    now += 1
    assert not answer(await stratford.member.slash(stratford.channel, "generate", length=10)).ephemeral
    configure(world, stratford, cooldown_s=0)
    assert not answer(await stratford.member.slash(stratford.channel, "generate", length=10)).ephemeral


def test_cooldowns_of_very_many_people_are_forgotten_in_turn():
    cooldowns = Cooldowns(lambda: 0.0)
    for user in range(50_000):
        cooldowns.take(1, user, 3)
    assert len(cooldowns._asked) <= 20_000


async def test_hidden_words_are_hidden_in_text_seed_and_file(world: World, stratford: Place):
    options = {"seed": "The lord", "length": 2000, "temperature": 0.3, "random_seed": 8}
    before = answer(await stratford.member.slash(stratford.channel, "generate", **options))
    assert re.search(r"\bthe\b", before.embeds[0].description)
    configure(world, stratford, hidden_words="THE\nlord")
    after = answer(await stratford.member.slash(stratford.channel, "generate", **options))
    text = "".join(embed.description for embed in after.embeds)
    assert seed(after) == "▒▒▒ ▒▒▒"
    assert not re.search(r"\b(?:the|lord)\b", text, re.IGNORECASE)
    several = answer(await stratford.member.slash(stratford.channel, "generate", count=5, **options))
    file = (await several.message.attachments[0].read()).decode()
    assert file.startswith("▒▒▒ ▒▒▒")
    assert not re.search(r"\b(?:the|lord)\b", file, re.IGNORECASE)
    assert "contains a word that this server hides" in private_line(
        await stratford.member.click(after.message, label="Again")
    )
    assert "▒" not in seed(answer(await stratford.member.click(after.message, label="Continue")))


async def test_a_copy_of_the_corpus_is_written_again_and_the_same_each_time(
    world: World, stratford: Place, tmp_path: Path
):
    options = {"seed": "to be", "length": 120, "random_seed": 3}
    first = answer(await stratford.member.slash(stratford.channel, "generate", **options))
    assert "are copied from the corpus" not in footer(first)
    written = first.embeds[0].description.removeprefix("**to be**").replace("\\", "")
    corpus_id = world.learn_from(stratford, f"Before. {written} After.", tmp_path)

    other = answer(await stratford.member.slash(stratford.channel, "generate", **options))
    assert other.embeds[0].description != first.embeds[0].description
    assert footer(other).endswith(" · random seed 3")
    again = answer(await stratford.member.slash(stratford.channel, "generate", **options))
    assert again.embeds[0].description == other.embeds[0].description
    assert "Yes, to the letter" in await verdict(stratford, other.message)

    configure(world, stratford, longest_copy=0)
    off = answer(await stratford.member.slash(stratford.channel, "generate", **options))
    assert off.embeds[0].description == first.embeds[0].description
    assert "corpus" not in footer(off)
    configure(world, stratford, longest_copy=50)
    with world.bot.database.write() as session:
        corpora.get(session, stratford.guild.id, corpus_id).text_deleted_at = datetime.datetime.now(
            datetime.UTC
        )
    gone = answer(await stratford.member.slash(stratford.channel, "generate", **options))
    assert gone.embeds[0].description == first.embeds[0].description
    assert "corpus" not in footer(gone)
    assert "Yes, to the letter" in await verdict(stratford, first.message)
    assert "no longer stored here" in await verdict(stratford, other.message)


async def test_what_a_model_wrote_is_counted_and_does_not_make_it_the_newest(
    world: World, stratford: Place, trained_bundle: Path
):
    with world.bot.database.read() as session:
        before = text_models.by_name(session, stratford.guild.id, "Bard").updated_at
    await stratford.member.slash(stratford.channel, "generate", length=10, count=3)
    await stratford.member.slash(stratford.channel, "generate", length=10)
    await world.env.advance_time(30)
    await world.restart()
    with world.bot.database.read() as session:
        model = text_models.by_name(session, stratford.guild.id, "Bard")
    assert model.generations == 4
    assert model.updated_at == before


async def test_a_model_whose_training_was_ended_early_says_so(world: World, stratford: Place):
    (bundle,) = world.bot.layout.bundle(stratford.guild.id, "x").parent.iterdir()
    manifest = bundle / "manifest.json"
    manifest.write_text(
        re.sub(r'"stopped": "[^"]*"', '"stopped": "finish requested"', manifest.read_text(encoding="utf-8")),
        encoding="utf-8",
    )
    sample = answer(await stratford.member.slash(stratford.channel, "generate", length=10))
    assert footer(sample).endswith(" · still learning: its training was ended early")
