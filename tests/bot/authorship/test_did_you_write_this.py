"""The message menu "Did you write this?": genuine, changed, forged and copied texts; walls around it."""

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest
import simcord

from bot.text.hidden_words import HIDDEN
from bot.text.safe_text import BREAK, unescape
from models import guilds, text_models
from tests.support.bot.schedules import Clock, save
from tests.support.bot.texts import VERIFY, generated, verdict
from tests.support.bot.world import Place, World, answer, private_line
from tests.support.textgen.bundles import write_random_bundle
from tests.support.texts.hostile import FAMILIES
from textgen.receipts.code import Receipt, find_code

YES = "Yes, to the letter: Bard wrote it."
MOST = 1_900
HOSTILE = [FAMILIES[name](MOST) for name in ("marks of one class", "families", "direction overrides")]
SECOND = datetime.timedelta(seconds=1)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_random_bundle(folder / "bard")
    write_random_bundle(folder / "other", "linear")
    return folder


@pytest.fixture
def stratford(world: World, bundles: Path) -> Place:
    place = world.place()
    world.give_model(place, bundles / "bard")
    return place


async def written(place: Place, **options: object) -> simcord.ResponseMessage:
    return await generated(place, **{"length": 120, "seed": "the sea ", "temperature": 1.0, **options})


async def asked_in_vain(place: Place, message: object) -> str:
    return private_line(await place.member.context_menu(place.channel, VERIFY, message))


def copied(message: simcord.ResponseMessage, number: int = 0) -> str:
    """A text and its footer, as a reader's client copies them."""
    embed = message.embeds[number]
    text = re.sub(r"\\([^0-9A-Za-z\s])", r"\1", embed.description.replace("**", ""))
    return f"{text.strip()}\n{embed.footer.text}"


def shown(text: str) -> str:
    return text.replace("\n", "⏎")


def receipt(message: simcord.ResponseMessage) -> Receipt:
    return Receipt.from_code(find_code(message.embeds[0].footer.text)[0])


@pytest.mark.parametrize("seed", ["the sea ", None, "*tin* _hat_ ", "étain, "])
async def test_its_own_text_is_known_to_the_letter(stratford: Place, seed: str | None):
    message = await written(stratford, seed=seed, top_p=0.95, typical_p=0.9)
    assert await verdict(stratford, message.message) == YES


@pytest.mark.slow
async def test_a_text_that_went_on_is_known_after_a_restart_and_under_another_name(
    world: World, stratford: Place
):
    first = await written(stratford, length=300)
    second = answer(await stratford.member.click(first.message, label="Continue"))
    await world.restart()
    with world.bot.database.write() as session:
        model = text_models.by_name(session, stratford.guild.id, "Bard")
        text_models.rename(session, stratford.guild.id, model.id, "Quill")
    for message in (first, second):
        assert await verdict(stratford, message.message) == "Yes, to the letter: Quill wrote it."


async def test_each_of_several_texts_has_an_answer(stratford: Place):
    message = await written(stratford, count=3, seed=None)
    told = (await verdict(stratford, message.message)).split("\n\n")
    assert told == [f"**{number} of 3** · {YES}" for number in (1, 2, 3)]


@pytest.mark.slow
async def test_long_texts_are_compared_whole_with_their_file(stratford: Place):
    message = await written(stratford, count=5, length=2000)
    assert len(message.message.attachments) == 5
    assert (await verdict(stratford, message.message)).count(YES) == 5


async def test_a_text_over_two_embeds_is_one_text(stratford: Place):
    message = await written(stratford, length=2000, temperature=0.4, seed="," * 300)
    assert YES in await verdict(stratford, message.message)


async def test_a_scheduled_post_is_known(world: World, stratford: Place):
    clock = Clock(world)
    schedule = await save(world, stratford, seed="the sea ", length=100)
    clock.moment = schedule.next_slot + SECOND
    post = await world.until(stratford, "daily 09:00 UTC")
    assert await verdict(stratford, post) == YES


async def test_a_copied_text_is_known_by_its_last_line(stratford: Place):
    message = await written(stratford)
    whole = copied(message)
    quoted = "\n".join(f"> {line}" for line in whole.split("\n"))
    for content in (whole, quoted, whole.replace("TG1", "tg1")):
        assert await verdict(stratford, await stratford.admin.send(stratford.channel, content)) == YES


async def test_a_changed_copy_shows_where_and_pings_nobody(stratford: Place):
    message = await written(stratford, random_seed=4)
    text, footer = copied(message).rsplit("\n", 1)
    for at in (2, 40, 90, len(text) - 1):
        changed = f"{text[:at]}@everyone{text[at + 1 :]}\n{footer}"
        told = await verdict(stratford, await stratford.admin.send(stratford.channel, changed))
        if at > 2:  # a seed that is changed so much cannot be drawn from
            assert told.startswith("Yes, Bard wrote it, but it was changed.")
            assert f"**@{BREAK}everyone**" in told
        assert "@everyone" not in told
    seed = f"tha{text[3:]}\n{footer}"
    told = await verdict(stratford, await stratford.admin.send(stratford.channel, seed))
    assert "> th~~e~~**a** sea" in told


async def test_a_change_is_shown_with_its_surroundings_and_those_near_each_other_as_one(stratford: Place):
    message = await written(stratford, length=300, random_seed=4)
    text, footer = copied(message).rsplit("\n", 1)

    async def lines(*places: int) -> list[str]:
        changed = list(text)
        for at in places:
            changed[at] = "É"
        content = "".join(changed) + f"\n{footer}"
        return (await verdict(stratford, await stratford.admin.send(stratford.channel, content))).split("\n")[
            1:
        ]

    (one,) = await lines(60)
    assert unescape(one) == f"> …{shown(text[35:60])}~~{shown(text[60])}~~**É**{shown(text[61:86])}…"
    near, far = await lines(20, 40, 140)
    assert (near.count("**É**"), far.count("**É**")) == (2, 1)
    *_, more = await lines(*range(20, 230, 30))
    assert more == "1 more change"


async def test_changed_white_space_can_be_seen(stratford: Place):
    message = await written(stratford)
    text, footer = copied(message).rsplit("\n", 1)
    changed = text.replace("the sea", "the  sea").rstrip() + f"\n\n {footer}"
    told = await verdict(stratford, await stratford.admin.send(stratford.channel, changed))
    assert "the **␣**sea" in told


async def test_a_forged_code_does_not_pass(stratford: Place):
    message = await written(stratford)
    genuine = receipt(message)
    text = copied(message).rsplit("\n", 1)[0]
    for forged in (
        replace(genuine, random_seed=genuine.random_seed ^ 1),
        replace(genuine, temperature=10.0),
        replace(genuine, length=2**40),
        replace(genuine, top_k=3),
        replace(genuine, stop=("x",)),
    ):
        content = f"{text}\n{forged.to_code()}"
        told = await verdict(stratford, await stratford.admin.send(stratford.channel, content))
        assert told == "No: with this code Bard writes another text."
    other = replace(genuine, seed_check=1)
    told = await verdict(
        stratford, await stratford.admin.send(stratford.channel, f"{text}\n{other.to_code()}")
    )
    assert told.startswith("No: it does not begin with the text that its code belongs to")


@pytest.mark.parametrize("text", ["", "no", "a" * MOST, *HOSTILE])
@pytest.mark.slow
async def test_any_other_text_below_a_genuine_code_is_a_no(stratford: Place, text: str):
    code = receipt(await written(stratford, seed=None)).to_code()
    content = f"{text[:MOST]}\n{code}"
    told = await verdict(stratford, await stratford.admin.send(stratford.channel, content))
    assert told == "No: with this code Bard writes another text."


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("To be, or not to be", "has no code of mine"),
        ("@everyone TG1", "has no code of mine"),
        ("To be\nTG1" + "Z" * 40, "is damaged"),
        ("TG1" + "0" * 1_900, "has no code of mine"),
    ],
)
async def test_a_message_without_a_code_gets_one_line(stratford: Place, content: str, says: str):
    message = await stratford.admin.send(stratford.channel, content)
    assert says in await asked_in_vain(stratford, message)


async def test_a_model_that_is_gone_or_was_trained_again_is_told_apart(
    world: World, stratford: Place, bundles: Path
):
    message = await written(stratford)
    copy = await stratford.admin.send(stratford.channel, copied(message))
    with world.bot.database.write() as session:
        model = text_models.by_name(session, stratford.guild.id, "Bard")
        genuine, model_id = model.bundle_path, model.id
    other = world.give_model(stratford, bundles / "other", "Other")
    with world.bot.database.write() as session:
        replaced = text_models.get(session, stratford.guild.id, model_id)
        replaced.bundle_path = text_models.get(session, stratford.guild.id, other).bundle_path
    assert "was trained again since then" in await verdict(stratford, message.message)
    with world.bot.database.write() as session:
        session.delete(text_models.get(session, stratford.guild.id, model_id))
    assert "no longer exists here" in await verdict(stratford, message.message)
    assert "no model of this server has the fingerprint" in await verdict(stratford, copy)
    assert (world.settings.data_dir / genuine).is_dir()


async def test_another_servers_model_gets_the_answer_of_a_model_that_never_was(
    world: World, stratford: Place, bundles: Path
):
    message = await written(stratford)
    elsewhere = world.place("Globe")
    world.give_model(elsewhere, bundles / "other", "Other")
    foreign = await elsewhere.admin.send(elsewhere.channel, copied(message))
    absent = copied(message).rsplit(" ", 1)[0] + " " + replace(receipt(message), model="0" * 10).to_code()
    never = await elsewhere.admin.send(elsewhere.channel, absent)
    assert await verdict(elsewhere, foreign) == await verdict(elsewhere, never)
    assert "Bard" not in await verdict(elsewhere, foreign)


async def test_a_manifest_that_claims_the_fingerprint_is_not_believed(
    world: World, stratford: Place, bundles: Path
):
    message = await written(stratford)
    with world.bot.database.read() as session:
        bard = world.settings.data_dir / text_models.by_name(session, stratford.guild.id, "Bard").bundle_path
    (bard / "weights.safetensors").write_bytes((bundles / "other" / "weights.safetensors").read_bytes())
    await world.restart()
    assert "damaged" in await asked_in_vain(stratford, message.message)


async def test_hidden_words_do_not_matter_in_the_text_nor_in_the_seed(world: World, stratford: Place):
    plain = await written(stratford, seed="the tin hat is ", random_seed=9)
    words = re.findall(r"[A-Za-z]{2,}", plain.embeds[0].description.split("**")[-1])
    with world.bot.database.write() as session:
        listed = f"hat\n{words[0]}\n{words[2]}"
        guilds.edit(session, stratford.guild.id, hidden_words=listed)
    world.bot.words.learn(stratford.guild.id, listed)
    veiled = await written(stratford, seed="the tin hat is ", random_seed=9)
    assert veiled.embeds[0].description.count(HIDDEN) >= 3
    for message in (plain, veiled):
        assert await verdict(stratford, message.message) == YES
    line = await stratford.admin.send(stratford.channel, copied(veiled).replace(HIDDEN, "xx", 1))
    told = await verdict(stratford, line)
    assert not re.search(r"\bhat\b", told)


async def test_who_may_not_generate_may_not_ask(world: World, stratford: Place):
    message = await written(stratford)
    poets = stratford.guild.create_role("Poets")
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, generate_role_id=poets.id)
    assert "You need the role" in await asked_in_vain(stratford, message.message)
