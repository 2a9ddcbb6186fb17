"""`/privacy`: a person and a server see, take along and delete what is stored about them."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import simcord
import sqlalchemy as sa

from bot.privacy import erasure, export
from models import (
    Corpus,
    JobState,
    TextModel,
    TrainingJob,
    audit,
    guilds,
    personal_data,
    training_jobs,
)
from tests.support.bot.trainings import files_below, training_processes, until
from tests.support.bot.world import Place, World, answer, private_line, shown
from tests.support.rows import new_job

NOW = datetime.now(UTC)


async def privacy(place: Place, command: str, /, actor=None, **options):
    return await (actor or place.admin).slash(place.channel, f"privacy {command}", **options)


async def train(world: World, place: Place, text: str, actor=None, name: str = "Hamlet") -> TrainingJob:
    """Queue a training that no worker takes."""
    world.hold_back()
    corpus = ("hamlet.txt", text.encode())
    await (actor or place.admin).slash(place.channel, "train", name=name, corpus=corpus, rights=True)
    with world.bot.database.read() as session:
        return training_jobs.listing(session, place.guild.id)[-1]


def finish(world: World, place: Place, job: TrainingJob, model_id: int) -> None:
    with world.bot.database.write() as session:
        training_jobs.start(session, place.guild.id, job.id)
        training_jobs.finish(
            session, place.guild.id, job.id, attempt=1, model_id=model_id, validation_loss=1.0
        )
        session.get_one(TextModel, model_id).corpus_id = job.corpus_id


def rows(world: World, place: Place) -> dict:
    with world.bot.database.read() as session:
        return personal_data.rows(session, place.guild.id)


def files(world: World, place: Place) -> list[Path]:
    return files_below(world.bot.layout.guild(place.guild.id))


async def confirm(place: Place, result: simcord.InteractionResult, actor=None) -> simcord.InteractionResult:
    question = answer(result)
    assert question.ephemeral
    assert "cannot be undone" in shown(question)
    return await (actor or place.admin).click(question.message, label="Delete for good")


async def test_a_person_sees_what_is_stored_about_them_and_a_manager_sees_the_servers(
    world: World, trained_bundle: Path, corpus_text: str
):
    stratford, abbey = world.place("Stratford"), world.place("Abbey")
    world.give_model(stratford, trained_bundle, "Bard")
    await train(world, stratford, corpus_text)
    await train(world, abbey, corpus_text[:30_000])
    theirs = answer(await privacy(stratford, "show"))
    assert theirs.ephemeral
    mine, server, statements = (shown(type("M", (), {"content": "", "embeds": [e]})) for e in theirs.embeds)
    for line in (
        "Uploaded texts: **1**",
        "Models: **1**",
        "Trainings: **1**",
        "Texts on the disk: **1** (58",
    ):
        assert line in mine
    assert "Models: **1**" in server
    assert "Uploaded texts are kept until they are deleted" in server
    assert "deleted 30 days after this bot was removed" in server
    assert "Never stored: messages of your channels" in statements
    assert "Who changed, trained, deleted" in statements

    ben = answer(await privacy(stratford, "show", stratford.member))
    assert [embed.title for embed in ben.embeds] == [
        "Stored about you in this server",
        "What is stored, and until when",
    ]
    assert ben.embeds[0].description == "Nothing."


async def read_zip(message) -> zipfile.ZipFile:
    (attachment,) = message.message.attachments
    return zipfile.ZipFile(BytesIO(await attachment.read()))


async def test_a_person_exports_their_rows_and_texts_and_a_manager_the_servers_rows(
    world: World, corpus_text: str
):
    stratford = world.place()
    await train(world, stratford, corpus_text)
    message = answer(await privacy(stratford, "export"))
    assert message.ephemeral
    assert "1 text of yours is in it" in message.content
    with await read_zip(message) as file:
        stored = json.loads(file.read("stored.json"))
        (text,) = [name for name in file.namelist() if name.startswith("texts/")]
        assert text.endswith("-hamlet.txt")
        assert file.read(text).decode() == corpus_text
    assert stored["person"] == str(stratford.admin.id)
    assert stored["tables"]["corpus"][0]["uploaded_by"] == str(stratford.admin.id)
    assert str(world.settings.data_dir) not in json.dumps(stored)

    ben = answer(await privacy(stratford, "export", stratford.member))
    with await read_zip(ben) as file:
        assert json.loads(file.read("stored.json"))["tables"] == {}
    refusal = private_line(await privacy(stratford, "export", stratford.member, scope="server"))
    assert refusal == "You need the permission Manage Server for this."
    server = answer(await privacy(stratford, "export", scope="server"))
    with await read_zip(server) as file:
        assert file.namelist() == ["stored.json"]
        assert "training_job" in json.loads(file.read("stored.json"))["tables"]
    actions = [row["action"] for row in rows(world, stratford)["audit_event"]]
    assert actions.count("data.exported") == 3


async def test_texts_too_large_for_discord_are_named(world: World, corpus_text: str):
    stratford = world.place()
    await train(world, stratford, corpus_text)
    made = export.export(
        world.bot.database, world.bot.storage, stratford.guild.id, stratford.admin.id, limit=80_000, now=NOW
    )
    assert (made.texts, made.left_out) == (0, ("hamlet.txt",))
    with pytest.raises(export.TooLarge):
        export.export(world.bot.database, world.bot.storage, stratford.guild.id, None, limit=1000, now=NOW)


async def test_a_persons_id_is_deleted_and_the_models_stay(
    world: World, trained_bundle: Path, corpus_text: str
):
    stratford = world.place()
    model_id = world.give_model(stratford, trained_bundle, "Bard")
    done = await train(world, stratford, corpus_text)
    finish(world, stratford, done, model_id)
    waiting = await train(world, stratford, corpus_text[:40_000], name="Next")
    with world.bot.database.write() as session:
        audit.record(session, stratford.guild.id, 5, "post.stopped", "x", creator=stratford.admin.id)

    result = await confirm(stratford, await privacy(stratford, "delete"))
    said = shown(answer(result))
    assert "2 texts are deleted." in said
    assert "1 training is cancelled." in said
    assert str(stratford.admin.id) not in json.dumps(rows(world, stratford), default=str)
    with world.bot.database.read() as session:
        assert training_jobs.get(session, stratford.guild.id, waiting.id).state is JobState.CANCELLED
        assert all(
            corpus.text_deleted_at and corpus.filename == "–" for corpus in session.scalars(sa.select(Corpus))
        )
    assert {path.parent.name for path in files(world, stratford)} == {"given-Bard"}
    assert "by a deleted person" in shown(answer(await stratford.member.slash(stratford.channel, "models")))
    assert "Bard" in shown(answer(await stratford.member.slash(stratford.channel, "generate", length=10)))
    again = private_line(await privacy(stratford, "delete"))
    assert again == "There is nothing to delete: nothing is stored."


async def test_a_text_that_somebody_else_uploaded_too_stays_for_them(world: World, corpus_text: str):
    stratford = world.place()
    with world.bot.database.write() as session:
        trainers = stratford.guild.create_role("Trainers")
        guilds.edit(session, stratford.guild.id, trainer_role_id=trainers.id)
    tina = stratford.guild.add_member(world.env.create_user("tina"), roles=[trainers])
    command = next(c for c in await world.bot.tree.fetch_commands() if c.name == "train")
    stratford.guild.set_command_permissions(command.id, {stratford.guild.default_role: True})
    await train(world, stratford, corpus_text)
    await train(world, stratford, corpus_text, tina)
    await confirm(stratford, await privacy(stratford, "delete"))
    assert len(files(world, stratford)) == 1
    await confirm(stratford, await privacy(stratford, "delete", tina), tina)
    assert files(world, stratford) == []


async def test_models_that_learned_from_the_texts_are_deleted_too_on_request(
    world: World, trained_bundle: Path, corpus_text: str
):
    stratford = world.place()
    first, second, other = (
        world.give_model(stratford, trained_bundle, name) for name in ("First", "Second", "Other")
    )
    finish(world, stratford, await train(world, stratford, corpus_text), first)
    with world.bot.database.write() as session:
        # Ben's text, but going on from what learned from Ada's.
        on = new_job(
            session,
            stratford.guild.id,
            session.scalars(sa.select(Corpus.id)).first(),
            requested_by=stratford.member.id,
            model_name="Second",
        )
        on.corpus_id, on.base_model_id = _bens_corpus(session, stratford), first
        session.get_one(TextModel, second).training_job_id = on.id
        guilds.edit(session, stratford.guild.id, default_model_id=first)
    finish(world, stratford, on, second)

    question = await privacy(stratford, "delete", models=True)
    assert "First, Second" in shown(answer(question))
    assert "Other" not in shown(answer(question))
    result = await confirm(stratford, question)
    assert "These models are deleted: First, Second." in shown(answer(result))
    with world.bot.database.read() as session:
        assert session.scalars(sa.select(TextModel.id)).all() == [other]
        assert guilds.settings_of(session, stratford.guild.id).default_model_id is None


def _bens_corpus(session, place: Place) -> int:
    ada = session.scalars(sa.select(Corpus)).one()
    values = {c.key: getattr(ada, c.key) for c in Corpus.__table__.columns if c.key != "id"}
    ben = Corpus(**values | {"uploaded_by": place.member.id, "sha256": "0" * 64})
    session.add(ben)
    session.flush()
    return ben.id


async def test_a_servers_data_is_deleted_and_another_server_keeps_its_own(
    world: World, trained_bundle: Path, corpus_text: str
):
    stratford, abbey = world.place("Stratford"), world.place("Abbey")
    for place in (stratford, abbey):
        world.give_model(place, trained_bundle, "Bard")
        await train(world, place, corpus_text)
        with world.bot.database.write() as session:
            guilds.edit(session, place.guild.id, length=77)
    refusal = private_line(await privacy(stratford, "delete", stratford.member, scope="server"))
    assert refusal == "You need the permission Manage Server for this."
    result = await confirm(stratford, await privacy(stratford, "delete", scope="server"))
    assert "All of this server's data is deleted." in shown(answer(result))
    left = rows(world, stratford)
    assert [row["action"] for row in left.pop("audit_event")] == ["data.deleted"]
    assert left == {}
    assert not world.bot.layout.guild(stratford.guild.id).exists()
    assert set(rows(world, abbey)) >= {"corpus", "text_model", "training_job", "guild_settings"}
    assert files(world, abbey)


@pytest.mark.slow
async def test_a_running_training_of_a_deleted_server_ends_and_leaves_nothing(world: World, corpus_text: str):
    stratford = world.place()
    corpus = ("hamlet.txt", corpus_text.encode())
    await stratford.admin.slash(
        stratford.channel, "train", name="Hamlet", corpus=corpus, rights=True, minutes=5
    )
    await world.until(stratford, "Loss")
    await confirm(stratford, await privacy(stratford, "delete", scope="server"))
    await until(lambda: not training_processes())
    later = datetime.now(UTC) + timedelta(hours=2)
    erasure.carry_out_removals(world.bot.database, world.bot.storage, later)
    assert files(world, stratford) == []


@pytest.mark.parametrize("scope", ["me", "server"])
async def test_the_confirmation_is_checked_when_it_is_used(world: World, corpus_text: str, scope: str):
    stratford = world.place()
    await train(world, stratford, corpus_text)
    ada, ben = stratford.admin.id, stratford.member.id
    stolen = private_line(await world.press_forged(stratford, stratford.member, f"erase:{scope}:{ada}:0"))
    assert stolen == "Only the person who asked for this can confirm it."
    if scope == "server":
        line = private_line(await world.press_forged(stratford, stratford.member, f"erase:server:{ben}:0"))
        assert line == "You need the permission Manage Server for this."
    assert len(files(world, stratford)) == 1


@pytest.mark.slow
async def test_a_deletion_interrupted_by_a_crash_is_finished_at_the_next_start(
    world: World, trained_bundle: Path, corpus_text: str, monkeypatch: pytest.MonkeyPatch
):
    stratford = world.place()
    world.give_model(stratford, trained_bundle, "Bard")
    await train(world, stratford, corpus_text)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "carry_out_removals", crash)
        with pytest.raises(KeyboardInterrupt):
            erasure.erase_guild(world.bot.database, world.bot.storage, stratford.guild.id, NOW, asked_by=5)
    assert files(world, stratford)
    await world.restart()
    assert files(world, stratford) == []


async def test_a_fault_in_the_database_deletes_no_file(
    world: World, corpus_text: str, monkeypatch: pytest.MonkeyPatch
):
    stratford = world.place()
    await train(world, stratford, corpus_text)
    before = rows(world, stratford)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(erasure.audit, "record", broken)
    for erase in (
        lambda: erasure.erase_guild(
            world.bot.database, world.bot.storage, stratford.guild.id, NOW, asked_by=5
        ),
        lambda: erasure.erase_person(
            world.bot.database, world.bot.storage, stratford.guild.id, stratford.admin.id, NOW, models=True
        ),
    ):
        with pytest.raises(ZeroDivisionError):
            erase()
    assert rows(world, stratford) == before
    assert len(files(world, stratford)) == 1
