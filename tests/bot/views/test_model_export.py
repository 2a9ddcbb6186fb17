"""Export as a web page: the shell's page to the byte, or one line that says why not."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.bundles import web_page
from models import audit, guilds, text_models
from tests.support.bot.world import Place, World, answer, private_line
from tests.support.rows import new_corpus
from tests.support.textgen.bundles import write_random_bundle
from tests.support.textgen.pages import counted_bundle
from tests.textgen.conftest import prose
from textgen import bundle as bundles
from textgen.cli import cli

BUTTON = "As a web page"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models")
    bundles.write(path / "bard", counted_bundle(prose(60)))
    write_random_bundle(path / "monk", "lstm")
    return path


@pytest.fixture
def stratford(world: World, folder: Path) -> Place:
    place = world.place("Stratford")
    world.give_model(place, folder / "bard", "Bard & <b>Co</b>")
    return place


async def exported(place: Place, name: str = "Bard & <b>Co</b>") -> object:
    panel = answer(await place.admin.slash(place.channel, "models", model=name)).message
    return answer(await place.admin.click(panel, label="Export")).message


def by_shell(bundle: Path, page: Path, *options: str) -> bytes:
    done = CliRunner().invoke(cli, ["export", str(bundle), f"--html={page}", *options])
    assert done.exit_code == 0, done.output
    return page.read_bytes()


@pytest.mark.slow
async def test_the_page_is_the_shells_to_the_byte(
    world: World, stratford: Place, folder: Path, tmp_path: Path
):
    with world.bot.database.write() as session:
        corpus = new_corpus(session, stratford.guild.id, filename="ham let.txt", path="x", uploaded_by=1)
        model = text_models.by_name(session, stratford.guild.id, "Bard & <b>Co</b>")
        model.corpus_id = corpus.id
    sent = await exported(stratford)
    form = await stratford.admin.click(sent, label=BUTTON)
    assert "'value': 'ham let.txt'" in str(form.modal) or "ham let.txt" in str(form.modal)
    written = {"licence": "--help CC0\n<1.0>", "origin": "https://example.org/ 日本 " + "x" * 250}
    told = answer(await stratford.admin.submit_modal(form, written))
    assert told.ephemeral
    (file,) = told.message.attachments
    assert file.filename == "Bard-b-Co-b.html"
    expected = await asyncio.to_thread(
        by_shell,
        folder / "bard",
        tmp_path / "page.html",
        "--title=Bard & <b>Co</b>",
        "--licence=--help CC0 <1.0>",
        "--origin=https://example.org/ 日本 " + "x" * 250,
    )
    assert await file.read() == expected
    with world.bot.database.read() as session:
        done = [(event.action, event.subject) for event in audit.listing(session, stratford.guild.id)]
    assert done == [("model.exported", "Bard & <b>Co</b>")] * 2


async def test_nothing_need_be_said_and_the_page_has_what_is_hidden_here_hidden(
    world: World, stratford: Place, folder: Path, tmp_path: Path
):
    sent = await exported(stratford)
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, hidden_words="Bard")
    world.bot.words.learn(stratford.guild.id, "Bard")
    form = await stratford.admin.click(sent, label=BUTTON)
    told = answer(await stratford.admin.submit_modal(form, {"licence": "", "origin": ""}))
    (file,) = told.message.attachments
    page = (await file.read()).decode()
    assert "Bard" not in page.split("<script", 1)[0]
    assert "not stated by whoever made this page" in page


async def test_exporting_a_page_takes_what_exporting_takes(world: World, stratford: Place):
    sent = await exported(stratford)
    form = await stratford.admin.click(sent, label=BUTTON)
    with world.bot.database.read() as session:
        model_id = text_models.by_name(session, stratford.guild.id, "Bard & <b>Co</b>").id
    refused = await world.press_forged(stratford, stratford.member, f"model:page:{model_id}")
    assert "You need the permission Manage Server" in private_line(refused)
    abbey = world.place("Abbey")
    for other in (model_id, 987654321):
        foreign = await world.press_forged(abbey, abbey.admin, f"model:page:{other}")
        assert "no such model here" in private_line(foreign)
    with world.bot.database.write() as session:
        session.delete(text_models.get(session, stratford.guild.id, model_id))
    gone = await stratford.admin.submit_modal(form, {"licence": "", "origin": ""})
    assert "no such model here" in private_line(gone)


async def test_what_cannot_become_a_page_gets_one_line_that_says_why(
    world: World, stratford: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    world.give_model(stratford, folder / "monk", "Monk")
    line = private_line(await stratford.admin.click(await exported(stratford, "Monk"), label=BUTTON))
    assert line == (
        "A web page holds models of characters with the cell “linear”. This is a model of characters with "
        "the cell “lstm”."
    )
    sent = await exported(stratford)
    form = await stratford.admin.click(sent, label=BUTTON)
    with world.bot.database.write() as session:
        model = text_models.by_name(session, stratford.guild.id, "Bard & <b>Co</b>")
        model.parameters = 25 * 2**20 // 4 + 1
        bundle = world.bot.layout.located(model.bundle_path)
    assert "larger than the 25 MiB" in private_line(await stratford.admin.click(sent, label=BUTTON))
    with world.bot.database.write() as session:
        model = text_models.by_name(session, stratford.guild.id, "Bard & <b>Co</b>")
        model.parameters, model.cell = 9, "llama"
    assert "made from a pretrained base" in private_line(await stratford.admin.click(sent, label=BUTTON))
    with world.bot.database.write() as session:
        text_models.by_name(session, stratford.guild.id, "Bard & <b>Co</b>").cell = "linear"
    counts = bundle / "counts.safetensors"
    counts.write_bytes(counts.read_bytes()[:-1])
    refused = await stratford.admin.submit_modal(form, {"licence": "", "origin": ""})
    assert private_line(refused).startswith("This model cannot become a web page: ")


def test_a_page_that_is_too_large_is_measured_before_it_is_sent(world: World, stratford: Place):
    with world.bot.database.read() as session:
        key = text_models.by_name(session, stratford.guild.id, "Bard & <b>Co</b>").bundle_path
    with pytest.raises(web_page.UserError, match="would be larger than the 0 MiB"):
        web_page.web_page(world.bot.storage, key, 1_000, web_page.About("x"))
