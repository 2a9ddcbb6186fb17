"""`/who` in the simulated Discord, with real models in a real sampler process; and its picture."""

import asyncio
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from simcord.backend.errors import OptionError

from bot.authorship import asking, picture
from bot.authorship.drawing import draw
from bot.authorship.speaking import NOBODY, strongest, words_of
from bot.commands.authorship import who
from bot.generation.sampler_protocol import Likelihood
from bot.text.hidden_words import HIDDEN
from models import guilds, text_models
from tests.support.bot.world import Place, World, answer, private_line, shown
from tests.support.textgen.bundles import write_random_bundle
from tests.support.texts.hostile import FAMILIES
from textgen.corpus.shakespeare import plays

LATER = 60_000
"""What the trained bundle has not seen begins here."""


@pytest.fixture(scope="module")
def text() -> str:
    return plays()[0][LATER : LATER + 400]


@pytest.fixture
def two(world: World, stratford: Place, tmp_path: Path) -> Place:
    """A server with a trained model named Bard and a random one named Noise."""
    write_random_bundle(tmp_path / "noise", "linear")
    world.give_model(stratford, tmp_path / "noise", "Noise")
    return stratford


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Let no process draw; what it would be told stands in the list."""
    told: list[dict] = []
    monkeypatch.setattr(who, "draw", lambda asked: told.append(json.loads(json.dumps(asked))))
    return told


async def asked(place: Place, text: str, actor=None, **options: object):
    return await (actor or place.member).slash(place.channel, "who", text=text, **options)


async def test_the_author_comes_first_with_a_picture_and_its_alternative_text(two: Place, text: str):
    message = answer(await asked(two, text))
    assert not message.ephemeral
    card = shown(message)
    assert re.search(
        r"\*\*Most likely Bard\.\*\*\n\n1\\?\. \*\*Bard\*\* · [\d.]+ nats a word, [+−][\d.]+ beside", card
    )
    assert re.search(r"2\\?\. \*\*Noise\*\* · ", card)
    assert "Speaks for Bard" in card
    (file,) = message.message.attachments
    pixels = matplotlib.image.imread(io.BytesIO(await file.read()), format="png")
    assert pixels.shape[1] == picture.WIDTH
    assert file.filename == "who.png"
    assert message.embeds[0].image.url
    assert file.description.startswith(
        "The text, each word in the colour of the model that it speaks for. For "
    )
    assert len(file.description) <= 1024


async def test_none_of_them_is_an_answer(two: Place, undrawn: list[dict]):
    message = answer(await asked(two, "qzx jkv wpf bzzk qqj vxz kjq zzx wqk jxv " * 5, private=True))
    assert message.ephemeral
    assert "Most likely none of them." in shown(message)
    chips = [word["chip"] for word in undrawn[0]["words"]]
    assert chips.count(3) > len(chips) / 2


async def test_hidden_words_are_hidden_in_the_card_the_picture_and_the_names(
    world: World, two: Place, text: str, undrawn: list[dict]
):
    listed = [word for word in re.findall(r"\w+", text) if len(word) > 5][:8]
    with world.bot.database.write() as session:
        hidden = "\n".join([*listed, "Bard"])
        guilds.edit(session, two.guild.id, hidden_words=hidden)
    world.bot.words.learn(two.guild.id, hidden)
    card = shown(answer(await asked(two, text)))
    assert HIDDEN in card
    told = json.dumps(undrawn, ensure_ascii=False)
    assert HIDDEN in told
    for word in [*listed, "Bard"]:
        assert not re.search(rf"\b{re.escape(word)}\b", card + told)
    assert len(undrawn[0]["words"]) >= 60


async def test_models_of_another_server_are_never_asked(
    world: World, two: Place, abbey: Place, text: str, undrawn: list[dict]
):
    card = shown(answer(await asked(abbey, text)))
    assert "Monk" in card
    assert "Bard" not in card
    assert "Noise" not in card
    empty = world.place("Globe")
    assert "no model here yet" in private_line(await asked(empty, text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\u200b \u2060" * 40, "at least 20 are needed"),
        (" \n" * 30 + "a", "at least 20 are needed"),
    ],
)
async def test_a_text_that_tells_nothing_gets_one_line(two: Place, text: str, says: str):
    assert says in private_line(await asked(two, text))


@pytest.mark.parametrize("text", ["", "too short", "word " * 1_200])
async def test_discord_takes_no_text_that_is_too_short_or_too_long(two: Place, text: str):
    with pytest.raises(OptionError, match=r"'text' of 'who' must be at (least 20|most 2000) characters"):
        await asked(two, text)


@pytest.mark.parametrize("family", sorted(FAMILIES))
async def test_a_hostile_text_pings_nobody_and_is_answered(two: Place, family: str, undrawn: list[dict]):
    hostile = ("@everyone <@&1> https://discord.gg/x [a](b) " + FAMILIES[family](1_900))[:2_000]
    told = shown(answer(await asked(two, hostile)))
    assert "@everyone" not in told
    assert "://discord" not in told
    assert "nats a word" in told or "needed" in told


async def test_who_may_not_generate_may_not_ask(world: World, two: Place, text: str, undrawn: list[dict]):
    poets, other = two.guild.create_role("Poets"), two.guild.create_text_channel("other")
    with world.bot.database.write() as session:
        guilds.edit(session, two.guild.id, generate_role_id=poets.id)
    assert "You need the role" in private_line(await asked(two, text))
    with world.bot.database.write() as session:
        guilds.edit(session, two.guild.id, generate_role_id=None, channel_id=other.id, cooldown_s=60.0)
    assert "you can generate texts in" in private_line(await asked(two, text))
    world.bot.cooldowns.clock = lambda: 100.0
    assert "nats a word" in shown(answer(await asked(two, text, two.admin)))
    assert "One moment, please" in private_line(await asked(two, text, two.admin))


@pytest.mark.slow
async def test_a_server_with_many_models_waits_no_longer_than_the_time_limit(
    world: World, two: Place, trained_bundle: Path, text: str, undrawn: list[dict], monkeypatch
):
    for number in range(18):
        world.give_model(two, trained_bundle, f"Bard {number}")
    card = shown(answer(await asked(two, text)))
    assert "… and 10 more" in card
    assert ": they are too close to tell." in card
    real = world.bot.pool.likelihood

    async def late(request):
        if "given-Bard 3" in str(request.bundle):
            await asyncio.sleep(3600)
        return await real(request)

    monkeypatch.setattr(world.bot.pool, "likelihood", late)
    monkeypatch.setattr(asking, "MOST_MODELS", 18)
    monkeypatch.setattr(asking, "TOGETHER_S", 20.0)
    card = shown(answer(await asked(two, text)))
    assert "Did not answer in time: Bard 3\n" in card
    assert "Not asked, because they are older: 2\n" in card


async def test_a_damaged_model_and_one_without_a_loss_are_named(
    world: World, two: Place, text: str, undrawn: list[dict], tmp_path: Path
):
    made = write_random_bundle(tmp_path / "blank", "gru")
    from textgen import bundle

    blank = replace(made, manifest=replace(made.manifest, validation_loss=0.0))
    bundle.write(tmp_path / "never measured", blank)
    world.give_model(two, tmp_path / "never measured", "Blank")
    with world.bot.database.read() as session:
        noise = world.settings.data_dir / text_models.by_name(session, two.guild.id, "Noise").bundle_path
    (noise / "weights.safetensors").write_bytes(b"no weights")
    card = shown(answer(await asked(two, text)))
    assert "Did not answer in time: Noise" in card
    assert "Cannot be compared: Blank" in card


def likelihood(*costs: tuple[float, float]) -> Likelihood:
    words = tuple(f"w{number}" for number in range(len(costs)))
    return Likelihood(1.0, 1.0, 0.0, 0.1, False, words, costs, " ".join(words))


def test_a_word_speaks_for_whom_it_surprises_least():
    first = likelihood((2.0, 2.0), (9.0, 3.0), (8.0, 2.0), (2.0, 2.0))
    second = likelihood((6.0, 2.0), (3.0, 3.0), (9.0, 3.0), (2.1, 2.0))
    words = words_of(["Sea,", "the", "Zzz", "sea"], [first, second])
    assert [word.speaker for word in words] == [0, 1, NOBODY, 0]
    assert [word.strength for word in words] == pytest.approx([0.7, 1.0, 1.0, 0.05])
    assert strongest(words, 0, 5) == ["Sea"]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("paper", "ink"), [(picture.PANEL, picture.INK), *picture.CHIPS])
def test_letters_stand_out_from_what_is_behind_them(paper: str, ink: str):
    dark, light = sorted([luminance(paper), luminance(ink)])
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.slow
def test_a_picture_is_drawn_in_a_child_and_brings_its_background_along():
    words = [
        {"text": "a$b$" * 9 + "Étain", "chip": number % 4, "strength": number / 20} for number in range(21)
    ]
    legend = [
        {"letter": letter, "name": name}
        for letter, name in zip("ABC–", ["Bard", "Μοῦσα", "", "none"], strict=True)
    ]
    drawn = draw({"legend": legend, "words": words, "cut": True})
    pixels = (matplotlib.image.imread(io.BytesIO(drawn), format="png") * 255).round().astype(int)
    height, width, _ = pixels.shape
    assert (width, pixels[height // 2, 8].tolist()) == (picture.WIDTH, [0x2B, 0x2D, 0x31, 255])
    assert pixels[0, 0, 3] == 0
    found = {tuple(colour) for colour in np.unique(pixels[..., :3].reshape(-1, 3), axis=0).tolist()}
    for paper, _ink in picture.CHIPS:
        assert tuple(int(paper[at : at + 2], 16) for at in (1, 3, 5)) in found


def test_letters_that_no_font_has_are_no_picture():
    words = [{"text": "\U000c0001\U000c0002" * 5, "chip": 0, "strength": 0.1}]
    legend = [{"letter": "A", "name": ""}] * 4
    assert draw({"legend": legend, "words": words, "cut": False}) is None
