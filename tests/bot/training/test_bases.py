"""`/train base:` with a pretrained base of the host: offered, chosen, fine-tuned, served apart, refused."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.demo.playground import demo_settings
from bot.generation.process_choice import Lane
from bot.settings import Settings
from bot.training.bases import Bases
from models import text_models
from tests.support.bot.trainings import Trainers, jobs, train
from tests.support.bot.world import World, answer, private_line, shown
from tests.support.textgen import bases as tiny
from textgen.files.bases import LLAMA

CHOICE = {"name": "tiny · pretrained on en, 0 million parameters", "value": "pretrained:tiny"}


@pytest.fixture
def bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of bases with a tiny one, as the host's."""
    folder = tmp_path / "bases"
    monkeypatch.setenv("TEXTGEN_BASES", str(folder))
    tiny.add()
    return folder


@pytest.fixture
def settings(bases: Path, settings: Settings) -> Settings:
    return settings.model_copy(update={"bases": "tiny, lost"})


@pytest.mark.slow
async def test_it_is_offered_beside_the_servers_models(world: World, trained_bundle: Path):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "Tinker")

    async def offered(typed: str) -> list[dict[str, str]]:
        return await stratford.admin.autocomplete(stratford.channel, "train", "base", typed)

    assert await offered("ti") == [{"name": "Tinker", "value": "Tinker"}, CHOICE]
    assert await offered("TINY") == await offered("pretrained:") == [CHOICE]
    assert await offered("lost") == []


@pytest.mark.parametrize("typed", ["pretrained:tiny", "tiny", "Tiny"])
@pytest.mark.slow
async def test_the_trainer_fine_tunes_it(world: World, corpus_text: str, trainers: Trainers, typed: str):
    stratford = world.place()
    await train(stratford, corpus_text, base=typed)
    assert "Learns parts of words · fine-tunes tiny" in shown(stratford.channel.last_message)
    await world.until(stratford, "Training")
    (order,) = trainers.orders
    asked = " ".join(order.arguments())
    assert "--base tiny" in asked
    assert "--level" not in asked
    trainers.let_go()
    await world.until(stratford, "Done")


@pytest.mark.slow
async def test_a_model_of_that_name_comes_first_and_the_choice_still_means_the_base(
    world: World, corpus_text: str, trainers: Trainers, trained_bundle: Path
):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "tiny")
    await train(stratford, corpus_text, base="tiny")
    await train(stratford, corpus_text, base="pretrained:tiny")
    assert [(job.base_model_id is None, job.pretrained) for job in jobs(world, stratford)] == [
        (False, None),
        (True, "tiny"),
    ]


async def test_what_does_not_fit_is_refused_before_anything_is_kept(
    world: World, corpus_text: str, bases: Path
):
    stratford = world.place()
    for options, says in (
        ({"base": "tiny", "size": "large"}, "keeps the size of its base: leave `size` out"),
        ({"base": "tiny", "level": "char"}, "keeps the level of its base, here `subword`"),
        ({"base": "lost"}, "There is no model named “lost” here"),
    ):
        assert says in private_line(await train(stratford, corpus_text, **options))
    for file in (bases / "tiny").iterdir():
        file.unlink()
    (bases / "tiny").rmdir()
    assert private_line(await train(stratford, corpus_text, base="tiny")) == (
        "The base tiny is no longer on this host."
    )
    assert jobs(world, stratford) == []


@pytest.mark.slow
async def test_an_english_text_gets_the_advice_and_no_other_does(
    world: World, corpus_text: str, trainers: Trainers
):
    stratford = world.place()
    advice = "This text is English: with `base: tiny` a model writes better sentences."
    await train(stratford, corpus_text)
    assert advice in shown(stratford.channel.last_message)
    await train(stratford, corpus_text, base="tiny")
    assert advice not in shown(stratford.channel.last_message)
    await train(stratford, "Das Modell schreibt, und niemand versteht den Satz.\n" * 400)
    assert advice not in shown(stratford.channel.last_message)


@pytest.mark.slow
async def test_a_text_goes_in_and_a_process_of_its_own_writes_in_its_style(world: World, corpus_text: str):
    stratford = world.place()
    # So short that the base is mixed with what was counted, and not trained.
    await train(stratford, corpus_text, base="tiny", minutes=0.05)
    card = await world.until(stratford, "Done", "Failed")
    assert "Done" in shown(card)
    tried = answer(await stratford.member.click(card, label="Try it"))
    assert len(shown(tried)) > 100
    assert world.bot.pool.processes.pids == [], "no quick process was needed"
    assert world.bot.pool.processes.slow_process(Lane.PRETRAINED).knows(
        str(world.bot.layout.bundle(stratford.guild.id, card_job(world, stratford)))
    )
    with world.bot.database.read() as session:
        (model,) = text_models.listing(session, stratford.guild.id)
    assert (model.cell, model.level) == (LLAMA, "subword")
    panel = shown(answer(await stratford.member.slash(stratford.channel, "models", model="hamlet")))
    assert "llama cell" in panel


def card_job(world: World, place) -> str:
    with world.bot.database.read() as session:
        (model,) = text_models.listing(session, place.guild.id)
    return str(model.training_job_id)


@pytest.mark.slow
async def test_a_base_that_was_removed_is_named_when_its_model_is_asked(
    world: World, corpus_text: str, bases: Path
):
    stratford = world.place()
    await train(stratford, corpus_text, base="tiny", minutes=0.05)
    await world.until(stratford, "Done", "Failed")
    await asyncio.to_thread((bases / "tiny").rename, bases.parent / "elsewhere")
    line = private_line(await stratford.member.slash(stratford.channel, "generate", model="hamlet"))
    assert line == "This model is damaged or gone. The person who hosts this bot finds details in its log."


def test_bases_that_are_not_there_are_not_offered_and_the_log_says_how_to_add_them(bases: Path):
    offered = Bases(("lost", "tiny"))
    with capture_logs() as logs:
        offered.look()
    assert [base.name for base in offered.matching("")] == ["tiny"]
    (line,) = logs
    assert (line["base"], line["reason"]) == ("lost", "it is not on this host")
    assert "pastiche base add" in line["event"]


def test_the_playground_offers_all_that_there_is_unless_the_host_names_some(bases: Path):
    tiny.add("other")
    assert demo_settings(Settings(_env_file=None)).base_names == ("other", "tiny")
    assert demo_settings(Settings(_env_file=None, bases="tiny")).base_names == ("tiny",)


@pytest.mark.parametrize(
    ("given", "names"), [("", ()), ("smollm2", ("smollm2",)), ("b, a b", ("b", "a")), (" a ,b", ("a", "b"))]
)
def test_names_of_bases_are_read_with_commas_or_spaces(given: str, names: tuple[str, ...]):
    assert Settings(_env_file=None, bases=given).base_names == names
