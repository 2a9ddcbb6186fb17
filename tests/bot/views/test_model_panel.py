"""A model's panel: what it shows, what its buttons do, and for whom."""

import asyncio
import datetime
import io
import zipfile
from pathlib import Path

import discord
import pytest
import simcord

from models import TrainingJob, audit, guilds, text_models, training_jobs
from tests.support.bot.world import Place, World, answer, private_line, shown
from tests.support.rows import new_corpus, new_job
from textgen import bundle as bundles


def trail(world: World, place: Place) -> list[tuple[str, str]]:
    with world.bot.database.read() as session:
        return [(event.action, event.subject) for event in audit.listing(session, place.guild.id)]


async def panel(
    place: Place, actor: simcord.MemberActor | None = None, name: str = "Bard"
) -> discord.Message:
    return answer(await (actor or place.admin).slash(place.channel, "models", model=name)).message


async def test_the_panel_shows_figures_origin_and_the_curve(world: World, stratford: Place, tmp_path: Path):
    with world.bot.database.write() as session:
        corpus = new_corpus(
            session,
            stratford.guild.id,
            filename="ham*let.txt",
            path=str(tmp_path / "c"),
            uploaded_by=stratford.admin.id,
            rights_confirmed_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        )
        model = text_models.by_name(session, stratford.guild.id, "Bard")
        model.corpus_id = corpus.id
        drawn = world.bot.layout.located(model.bundle_path) / "loss.png"
        loss, parameters, characters = model.validation_loss, model.parameters, model.characters
    drawn.unlink()  # as in a bundle that was imported
    await stratford.member.slash(stratford.channel, "generate", length=10, count=2)
    message = await panel(stratford, stratford.member)
    text = shown(message)
    for words in (
        "Bard", f"**{loss:.3f} nats** a character", f"{loss / 0.693147:.3f} bits", "linear cell",
        f"{parameters:,} parameters", "ham\\*let.txt", f"{characters:,} characters", "2 texts",
        f"by ada-{stratford.guild.id}", "<t:1767225600:D>",
    ):  # fmt: skip
        assert words in text
    assert message.embeds[0].image.url
    (curve,) = message.attachments
    assert curve.filename == "loss.png"
    assert (await curve.read()).startswith(b"\x89PNG")


async def test_a_model_opened_from_the_list_is_shown_to_that_person_alone(world: World, stratford: Place):
    listed = answer(await stratford.member.slash(stratford.channel, "models")).message
    await world.restart()
    with world.bot.database.read() as session:
        model = text_models.by_name(session, stratford.guild.id, "Bard")
    opened = answer(await stratford.member.select(listed, [str(model.id)]))
    assert opened.ephemeral
    assert opened.embeds[0].title == "Bard"
    assert await stratford.member.autocomplete(stratford.channel, "models", "model", "ba") == [
        {"name": "Bard", "value": "Bard"}
    ]


async def test_anyone_may_sample_after_a_restart_too(world: World, stratford: Place):
    opened = await panel(stratford)
    await world.restart()
    sample = answer(await stratford.member.click(opened, label="Sample"))
    assert sample.embeds[0].footer.text.startswith("Bard · temperature 0.7")


@pytest.mark.parametrize("label", ["Make default", "Rename", "Export", "Delete"])
async def test_changing_takes_what_training_takes(world: World, stratford: Place, label: str):
    opened = await panel(stratford)
    assert private_line(await stratford.member.click(opened, label=label)) == (
        "You need the permission Manage Server to train or change models."
    )
    trainers = stratford.guild.create_role("Trainers")
    trainer = stratford.guild.add_member(world.env.create_user("tina"), roles=[trainers])
    with world.bot.database.write() as session:
        guilds.edit(session, stratford.guild.id, trainer_role_id=trainers.id)
    result = await trainer.click(opened, label=label)
    assert "You need the permission" not in str(result.response and result.response.content)


async def test_a_default_is_made(world: World, stratford: Place, trained_bundle: Path):
    world.give_model(stratford, trained_bundle, "Newer")
    opened = await panel(stratford)
    await stratford.admin.click(opened, label="Make default")
    opened = await opened.fetch()
    assert opened.embeds[0].title == "Bard · default"
    assert opened.attachments
    sample = answer(await stratford.member.slash(stratford.channel, "generate", length=10))
    assert sample.embeds[0].footer.text.startswith("Bard ·")
    assert trail(world, stratford) == [("model.made_default", "Bard")]


async def test_a_model_is_renamed_if_the_name_is_free(world: World, stratford: Place, trained_bundle: Path):
    world.give_model(stratford, trained_bundle, "Taken")
    opened = await panel(stratford)
    for name, says in (("taken", "already a model named “Taken”"), ("a\u202eb", "invisible")):
        form = await stratford.admin.click(opened, label="Rename")
        assert says in private_line(await stratford.admin.submit_modal(form, {"name": name}))
    form = await stratford.admin.click(opened, label="Rename")
    await stratford.admin.submit_modal(form, {"name": "  The   Swan "})
    assert (await opened.fetch()).embeds[0].title == "The Swan"
    assert trail(world, stratford) == [("model.renamed", "The Swan")]
    sample = answer(await stratford.member.slash(stratford.channel, "generate", length=10))
    assert sample.embeds[0].footer.text.startswith("Taken ·")  # still the newest


async def test_a_model_is_exported_whole(world: World, stratford: Place, tmp_path: Path):
    opened = await panel(stratford)
    sent = answer(await stratford.admin.click(opened, label="Export"))
    assert sent.ephemeral
    (file,) = sent.message.attachments
    assert file.filename == "Bard.zip"
    with zipfile.ZipFile(io.BytesIO(await file.read())) as archive:
        archive.extractall(tmp_path / "bundle")
    assert bundles.read(tmp_path / "bundle").manifest.level == "char"
    assert trail(world, stratford) == [("model.exported", "Bard")]


async def test_a_model_too_large_to_send_says_so(world: World, stratford: Place):
    opened = await panel(stratford)
    (bundle,) = world.bot.layout.bundle(stratford.guild.id, "x").parent.iterdir()
    with (bundle / "weights.safetensors").open("ab") as weights:
        weights.truncate(120 * 2**20)
    line = private_line(await stratford.admin.click(opened, label="Export"))
    assert "larger than the 25 MiB" in line
    assert trail(world, stratford) == []


async def test_a_model_is_deleted_after_a_question_with_all_that_refers_to_it(world: World, stratford: Place):
    with world.bot.database.write() as session:
        model = text_models.by_name(session, stratford.guild.id, "Bard")
        bundle = world.bot.layout.located(model.bundle_path)
        guilds.edit(session, stratford.guild.id, default_model_id=model.id)
        job = new_job(session, stratford.guild.id)
        training_jobs.cancel(session, stratford.guild.id, job.id)
        session.get(TrainingJob, job.id).model_id = model.id
        session.get(TrainingJob, job.id).base_model_id = model.id
    opened = await panel(stratford)
    await stratford.admin.click(opened, label="Delete")
    asked = await opened.fetch()
    assert asked.embeds[0].title == "Delete “Bard”?"
    assert "You need the permission" in private_line(await stratford.member.click(asked, label="Delete it"))
    await stratford.admin.click(asked, label="Keep it")
    assert (await opened.fetch()).embeds[0].title == "Bard · default"

    await stratford.admin.click(await opened.fetch(), label="Delete")
    await stratford.admin.click(await opened.fetch(), label="Delete it")
    gone = await opened.fetch()
    assert shown(gone) == "The model **Bard** is deleted."
    assert not gone.components
    assert not gone.attachments
    assert not (await asyncio.to_thread(bundle.exists))
    with world.bot.database.read() as session:
        assert not text_models.listing(session, stratford.guild.id)
        assert guilds.settings_of(session, stratford.guild.id).default_model_id is None
        kept = training_jobs.get(session, stratford.guild.id, job.id)
        assert kept.model_id is None
        assert kept.base_model_id is None
    assert trail(world, stratford) == [("model.deleted", "Bard")]


async def test_a_panel_whose_model_is_gone_says_so(world: World, stratford: Place):
    first, second = await panel(stratford), await panel(stratford)
    form = await stratford.admin.click(second, label="Rename")
    await stratford.admin.click(first, label="Delete")
    await stratford.admin.click(await first.fetch(), label="Delete it")
    for label in ("Sample", "Make default", "Rename", "Export", "Delete"):
        assert "no such model here" in private_line(await stratford.admin.click(second, label=label))
    assert "no such model" in private_line(await stratford.admin.submit_modal(form, {"name": "X"}))
