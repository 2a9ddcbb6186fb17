"""`/generate with:`: two models of a server as one, from the command to the code below its text."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import simcord

from bot.embeds.sample_message import text_of
from bot.generation.request import DEFAULT_MIX, Blend
from models import guilds, text_models
from tests.support.bot.texts import generated, verdict
from tests.support.bot.world import Place, World, answer, private_line
from tests.support.textgen.bundles import manifest_of, write_random_bundle
from tests.support.texts.hostile import FAMILIES
from textgen import blending, tokenizers
from textgen import bundle as bundles
from textgen.bundle import Bundle
from textgen.model import TextModel
from textgen.network.spec import NetworkSpec
from textgen.receipts.code import Receipt, find_code

ASKED = {"seed": "the sea ", "length": 90, "temperature": 0.9, "random_seed": 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles: two of characters, two of the same words, one of other words."""
    path = tmp_path_factory.mktemp("models")
    write_random_bundle(path / "bard")
    write_random_bundle(path / "monk", "linear")
    for name, words, random in (("one", "a b c d", 1), ("two", "a b c d", 2), ("other", "e f g h", 3)):
        write_words(path / name, words, random)
    return path


def write_words(path: Path, words: str, random_seed: int) -> None:
    tokenizer = tokenizers.train("word", words * 9, pristine_input=True)
    spec = NetworkSpec("lstm", tokenizer.size, embedding=4, units=8, layers=1)
    draw = np.random.default_rng(random_seed)
    weights = {name: draw.normal(0, 0.5, shape).astype(np.float32) for name, shape in spec.shapes().items()}
    bundles.write(path, Bundle(spec, tokenizer, weights, replace(manifest_of(spec), level="word")))


@pytest.fixture
def stratford(world: World, folder: Path) -> Place:
    place = world.place("Stratford")
    world.give_model(place, folder / "monk", "Monk")
    world.give_model(place, folder / "bard", "Bard")
    return place


def by_library(folder: Path, mix: float, **controls: object) -> str:
    model = blending.blend(TextModel.load(folder / "bard"), TextModel.load(folder / "monk"), mix)
    return model.generate("the sea ", **{"length": 90, "temperature": 0.9, "random_seed": 5} | controls)


def text_in(message: simcord.ResponseMessage) -> str:
    return text_of(message.message, 1)


def footer(message: simcord.ResponseMessage) -> str:
    return re.sub(r" · TG1\w+$", "", message.embeds[0].footer.text)


async def blended(place: Place, **options: object) -> simcord.ResponseMessage:
    return await generated(place, **{"model": "Bard", "with": "monk", "mix": 0.4, **ASKED, **options})


def test_the_share_is_the_shells_and_is_kept_in_a_buttons_id():
    assert DEFAULT_MIX == blending.DEFAULT_MIX
    for mix, kept in ((0.12345, 0.123), (-1, 0), (7, 1)):
        match = re.fullmatch(Blend.ID, Blend(10**17, mix).to_id())
        assert match
        assert Blend.from_id(match) == Blend(10**17, kept)


async def test_a_blend_is_the_shells_text_and_its_footer_says_it(stratford: Place, folder: Path):
    message = await blended(stratford)
    assert text_in(message) == "the sea " + by_library(folder, 0.4)
    assert footer(message) == "Bard with Monk (mix 0.4) · temperature 0.9 · random seed 5"
    half = await blended(stratford, mix=None)
    assert text_in(half) == "the sea " + by_library(folder, 0.5)
    assert footer(half).startswith("Bard with Monk (mix 0.5)")


@pytest.mark.parametrize(("mix", "alone"), [(0.0, "Bard"), (1.0, "Monk")])
async def test_the_ends_are_the_models_themselves(stratford: Place, mix: float, alone: str):
    message = await blended(stratford, mix=mix)
    single = await blended(stratford, model=alone, mix=None, **{"with": None})
    assert text_in(message) == text_in(single)
    assert await verdict(stratford, message.message) == f"Yes, to the letter: {alone} wrote it."


@pytest.mark.slow
async def test_again_and_continue_keep_the_blend_after_a_restart(world: World, stratford: Place):
    first = await blended(stratford)
    await world.restart()
    again = answer(await stratford.member.click(first.message, label="Again"))
    assert footer(again).startswith("Bard with Monk (mix 0.4) · temperature 0.9 · random seed ")
    assert text_in(again) != text_in(first)
    further = answer(await stratford.member.click(again.message, label="Continue"))
    assert footer(further).startswith("Bard with Monk (mix 0.4)")
    for message in (first, again, further):
        told = await verdict(stratford, message.message)
        assert told == "Yes, to the letter: Bard with Monk (mix 0.4) wrote it."


async def test_a_forged_or_changed_blend_does_not_pass(stratford: Place):
    message = await blended(stratford)
    code = find_code(message.embeds[0].footer.text)[0]
    genuine = Receipt.from_code(code)
    for forged in (
        replace(genuine, mix=0.41),
        replace(genuine, model=genuine.other, other=genuine.model),
        replace(genuine, other="", mix=0.0),
    ):
        copy = await stratford.admin.send(stratford.channel, f"{text_in(message)}\n{forged.to_code()}")
        assert "writes another text" in await verdict(stratford, copy)
    absent = replace(genuine, other="0" * 10).to_code()
    copy = await stratford.admin.send(stratford.channel, f"{text_in(message)}\n{absent}")
    assert "no model of this server has the fingerprint" in await verdict(stratford, copy)
    changed = await stratford.admin.send(stratford.channel, f"{text_in(message)}!\n{code}")
    assert "Bard with Monk (mix 0.4) wrote it, but it was changed" in await verdict(stratford, changed)


async def test_several_blended_texts_hide_words_and_count_for_both_models(world: World, stratford: Place):
    words = re.findall(r"[A-Za-z]{3,}", text_in(await blended(stratford)).removeprefix("the sea"))
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, hidden_words=words[0])
    world.bot.words.learn(stratford.guild.id, words[0])
    several = await blended(stratford, count=3)
    assert len(several.embeds) == 3
    assert words[0] not in several.embeds[0].description
    assert (await verdict(stratford, several.message)).count("Yes, to the letter") == 3
    world.bot.generations.save()
    with world.bot.database.read() as session:
        assert {model.generations for model in text_models.listing(session, stratford.guild.id)} == {4}


async def test_models_that_do_not_fit_get_one_line_with_those_that_do(
    world: World, stratford: Place, folder: Path
):
    for name in ("one", "two", "other"):
        world.give_model(stratford, folder / name, name.title())

    async def refusal(model: str, other: str) -> str:
        asked = {"model": model, "with": other, "length": 10}
        return private_line(await stratford.member.slash(stratford.channel, "generate", **asked))

    tokens = "because their tokens are not the same."
    assert await refusal("Bard", "One") == (
        f"“One” cannot be blended with “Bard”, {tokens} These models of this server fit: “Monk”."
    )
    # As many words, but others: only the bundles tell.
    assert await refusal("One", "Other") == (
        f"“Other” cannot be blended with “One”, {tokens} These models of this server fit: “Two”."
    )
    assert await refusal("Other", "Bard") == (
        f"“Bard” cannot be blended with “Other”, {tokens} No other model of this server fits."
    )
    asked = {"model": "One", "with": "Two", "length": 10, "random_seed": 3}
    words = answer(await stratford.member.slash(stratford.channel, "generate", **asked))
    assert footer(words).startswith("One with Two (mix 0.5)")
    assert await verdict(stratford, words.message) == "Yes, to the letter: One with Two (mix 0.5) wrote it."

    async def offered(typed: str, **given: object) -> list[str]:
        found = await stratford.member.autocomplete(stratford.channel, "generate", "with", typed, **given)
        return [choice["value"] for choice in found]

    assert await offered("", model="Bard") == ["Monk"]
    assert await offered("", model="One") == ["Other", "Two"]
    assert await offered("t", model="One") == ["Two"]
    assert await offered("", model="Nobody") == []


BAD = [
    pytest.param({"mix": 0.4, "with": None}, "“mix” is the share of a second model", id="a share of nothing"),
    pytest.param({"with": "Nobody"}, "no model named “Nobody” here", id="an absent model"),
    pytest.param({"with": "1"}, "no model named “1” here", id="an id for a name"),
    pytest.param({"with": "@everyone"}, "no model named", id="a mention"),
    pytest.param({"with": " "}, "no model named", id="a blank"),
    pytest.param({"seed": "日本"}, "日", id="a seed that neither knows"),
    *(
        pytest.param({"with": FAMILIES[name](90)}, "no model named", id=name)
        for name in ("marks of one class", "direction overrides")
    ),
]


@pytest.mark.parametrize(("options", "says"), BAD)
async def test_a_blend_that_cannot_be_is_one_private_line(stratford: Place, options: dict, says: str):
    asked = {"model": "Bard", "with": "Monk", "length": 10, **options}
    given = {name: value for name, value in asked.items() if value is not None}
    line = private_line(await stratford.member.slash(stratford.channel, "generate", **given))
    assert says in line
    assert "@everyone" not in line


async def test_another_servers_model_is_an_absent_one(world: World, stratford: Place, folder: Path):
    abbey = world.place("Abbey")
    foreign = world.give_model(abbey, folder / "monk", "Friar")
    asked = {"model": "Bard", "length": 10}
    absent = private_line(
        await stratford.member.slash(stratford.channel, "generate", **asked, **{"with": "X"})
    )
    theirs = await stratford.member.slash(stratford.channel, "generate", **asked, **{"with": "Friar"})
    assert private_line(theirs) == absent.replace("“X”", "“Friar”")
    message = await blended(stratford)
    with world.bot.database.read() as session:
        own = text_models.by_name(session, stratford.guild.id, "Bard").id
    for other in (foreign, 987654321):
        pressed = await world.press_forged(
            stratford, stratford.member, f"again:{own}+{other}@400:90:900:-:1:0"
        )
        assert "no such model here" in private_line(pressed)
    world.give_model(abbey, folder / "bard", "Bard")
    # There, both models have the fingerprints of the code: it is theirs as well.
    copied = f"{text_in(message)}\n{find_code(message.embeds[0].footer.text)[0]}"
    told = await verdict(abbey, await abbey.admin.send(abbey.channel, copied))
    assert told == "Yes, to the letter: Bard with Friar (mix 0.4) wrote it."


@pytest.mark.slow
async def test_a_part_that_was_trained_again_or_is_gone_is_told(world: World, stratford: Place, folder: Path):
    message = await blended(stratford)
    with world.bot.database.write() as session:
        monk = text_models.by_name(session, stratford.guild.id, "Monk")
        files = world.bot.layout.located(monk.bundle_path)
    newer = files.with_name("newer")
    write_random_bundle(newer, "gru")
    with world.bot.database.write() as session:
        row = text_models.by_name(session, stratford.guild.id, "Monk")
        row.bundle_path = row.bundle_path.replace(files.name, newer.name)
    assert "was trained again since then" in await verdict(stratford, message.message)
    another = await blended(stratford)
    assert text_in(another) != text_in(message)  # written by what is there now
    shutil.rmtree(newer)
    await world.restart()
    assert "damaged or gone" in private_line(await stratford.member.click(message.message, label="Again"))
    with world.bot.database.write() as session:
        session.delete(text_models.by_name(session, stratford.guild.id, "Monk"))
    assert "no such model here" in private_line(await stratford.member.click(message.message, label="Again"))
    assert "no longer exists here" in await verdict(stratford, message.message)


async def test_a_passage_of_either_corpus_is_a_copy(world: World, stratford: Place, tmp_path: Path):
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, longest_copy=30)
    message = await blended(stratford)
    written = text_in(message).removeprefix("the sea ")
    world.learn_from(stratford, f"Before. {written} After.", tmp_path, "Monk")
    other = await blended(stratford)
    assert text_in(other) != text_in(message)
    assert "random seed 5" in footer(other)
    assert "copied" not in footer(other)
    assert "Yes, to the letter" in await verdict(stratford, other.message)
    assert text_in(await blended(stratford)) == text_in(other)
