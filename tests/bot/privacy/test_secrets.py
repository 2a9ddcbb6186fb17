"""What nobody shall read or keep: hidden words on any card, names of people who left, places on the host."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.training.jobs import workflows
from bot.training.trainer.process import TrainingEnd
from models import guilds, text_models, training_jobs
from tests.support.bot.schedules import add, known, save
from tests.support.bot.trainings import Trainers, files_below, jobs, train, until
from tests.support.bot.world import Place, World, answer, shown
from textgen.host.extras import how_to_add

CANARY = "Zyxwv"
HOST = re.compile(r"/(?:tmp|work|srv|home|usr|var)/|--[a-z]+-?|pip install|textgen [a-z]|Traceback|\[Errno")


def hide_words(world: World, place: Place, words: str) -> None:
    with world.bot.database.write() as session:
        guilds.edit(session, place.guild.id, hidden_words=words)
    world.bot.words.learn(place.guild.id, words)


def draw_curves(world: World, place: Place) -> None:
    """Let panels find their curve drawn, as they do from the second time on."""
    for bundle in world.bot.layout.guild(place.guild.id).glob("models/*"):
        (bundle / "loss.png").write_bytes(b"PNG")


def everything(place: Place, *results: Any) -> str:
    """All that people read in the channel and in answers, with names of files and labels of choices."""
    messages = [*place.channel.history()]
    for result in results:
        messages += [message for message in (result.response, *result.followups) if message is not None]
    parts = []
    for message in messages:
        parts.append(shown(message))
        rows = getattr(message, "components", None) or []
        for item in (item for row in rows for item in getattr(row, "children", [])):
            parts += [getattr(item, "label", None) or ""]
            parts += [option.label for option in getattr(item, "options", None) or []]
        parts += [attachment.filename for attachment in getattr(message, "attachments", None) or []]
    return "\n".join(parts)


def holds_the_canary(path: Path) -> bool:
    try:
        return CANARY.lower().encode() in path.read_bytes().lower()
    except FileNotFoundError:
        # The trainer of the deleted text was about to remove it.
        return False


async def test_no_name_of_a_person_is_left_when_they_had_their_data_deleted(
    world: World,
    trainers: Trainers,
    trained_bundle: Path,
    corpus_text: str,
    capsys: pytest.CaptureFixture[str],
):
    place = world.place()
    world.give_model(place, trained_bundle)
    draw_curves(world, place)
    user = world.env.create_user(CANARY.lower() + "1", global_name=f"{CANARY} Quondam")
    person = place.guild.add_member(user, roles=[place.guild.roles["Managers"]])
    channel = place.channel
    await person.slash(channel, "settings edit", temperature=0.9, hidden_words="fie")
    preview = await add(place, actor=person)
    await person.click(preview.message, label="Confirm")
    (first,) = known(world, place)
    await person.slash(channel, "schedule pause", schedule=first.id)
    assert f"Paused by {CANARY}" in shown(answer(await person.slash(channel, "schedule list")))
    second = await save(world, place, "daily 10:00")
    await person.slash(channel, "schedule run", schedule=second.id)
    post = next(message for message in channel.history() if "random seed" in shown(message))
    await person.click(post, label="Stop")
    await person.click(post, label="Report")
    await train(place, corpus_text, actor=person, corpus=(f"{CANARY}.txt", corpus_text.encode()))
    await until(lambda: trainers.orders)
    await person.slash(channel, "generate", length=10)
    panel = answer(await person.slash(channel, "models", model="Bard"))
    await person.click(panel.message, label="Make default")
    await person.slash(channel, "privacy export")
    asked = answer(await person.slash(channel, "privacy delete"))
    done = answer(await person.click(asked.message, label="Delete for good"))
    assert "Nothing here names you any more" in shown(done)
    trainers.let_go()
    await until(lambda: all(job.state.is_final for job in jobs(world, place)))
    assert [each.paused_by for each in known(world, place)] == [0, 0]
    listed = shown(answer(await place.admin.slash(channel, "schedule list")))
    assert listed.count("by a deleted person") == 2
    changes = answer(await place.admin.slash(channel, "settings show"))
    trail = shown(answer(await place.admin.click(changes.message, label="Recent changes")))
    assert CANARY.lower() not in (listed + trail).lower()
    assert [path for path in files_below(world.settings.data_dir) if holds_the_canary(path)] == []
    told = capsys.readouterr()
    assert CANARY.lower() not in (told.out + told.err).lower()


async def test_a_hidden_word_is_on_no_card_list_or_choice(
    world: World, trainers: Trainers, trained_bundle: Path, corpus_text: str
):
    place = world.place()
    channel = place.channel
    model_id = world.give_model(place, trained_bundle, "D4MN Bard")
    draw_curves(world, place)
    hide_words(world, place, "damn")
    await train(place, corpus_text, name="d.a.m.n tales", corpus=("damn.txt", corpus_text.encode()))
    await until(lambda: trainers.orders)
    (job,) = jobs(world, place)
    with world.bot.database.write() as session:
        words = "O _damn_ the day, dam"
        news = {"sample": words, "samples": json.dumps([[0.1, words], [0.5, "d a m n"]])}
        training_jobs.progress(
            session, place.guild.id, job.id, attempt=1, fraction=0.5, loss=2.0, eta_s=60.0, **news
        )
    await world.until(place, "What it writes at")
    results = [
        await place.member.slash(channel, "generate", seed="The", length=10),
        await place.member.slash(channel, "generate", model="damn", length=10),
        await place.admin.slash(channel, "jobs"),
        await place.admin.slash(channel, "models"),
        await place.admin.slash(channel, "models", model="D4MN Bard"),
        await place.admin.slash(channel, "schedule add", when="daily 09:00", seed="the d@mn"),
    ]
    panel = results[4]
    results += [await place.admin.click(answer(panel).message, label="Export")]
    choices = await place.member.autocomplete(channel, "generate", "model", "")
    labels = [choice["name"] for choice in choices]
    read = everything(place, *results) + "\n".join(labels)
    assert "▒▒▒ Bard" in read
    assert not re.search(r"d\W?[a4@]\W?m\W?n", read, re.IGNORECASE), read
    trainers.let_go()
    # Those who look after the list see it.
    assert "||damn||" in shown(answer(await place.admin.slash(channel, "settings show")))
    with world.bot.database.read() as session:
        assert text_models.get(session, place.guild.id, model_id).name == "D4MN Bard"


FAILURES = (
    "/srv/pastiche/var/guilds/1/trainings/ab/input.txt has 3 characters",
    "the loss diverged; try a lower --learning-rate than 0.01",
    f"the package x is not installed; {how_to_add('train')}",
    "the trainer ended with exit code 1: OSError: [Errno 28] No space left on device: '/srv/x'",
    '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode',
)


@pytest.mark.slow
async def test_a_failed_training_names_nothing_of_the_host(
    world: World, corpus_text: str, monkeypatch: pytest.MonkeyPatch
):
    place = world.place()
    errors = iter(FAILURES)
    monkeypatch.setattr(workflows, "run_trainer", lambda *_args, **_kwargs: TrainingEnd(error=next(errors)))
    for _error in FAILURES:
        await train(place, corpus_text[:30_000])
        card = await world.until(place, "Failed")
        assert not HOST.search(shown(card))
    with world.bot.database.read() as session:
        ended = training_jobs.recent(session, place.guild.id)
    assert len(ended) == len(FAILURES)
    assert not HOST.search("\n".join(job.error or "" for job in ended))


async def test_a_damaged_model_names_nothing_of_the_host(world: World, trained_bundle: Path):
    place = world.place()
    world.give_model(place, trained_bundle)
    draw_curves(world, place)
    bundles = list(world.bot.layout.guild(place.guild.id).glob("models/*"))
    assert bundles
    (bundles[0] / "manifest.json").write_text("{")
    broken = [
        await place.admin.slash(place.channel, "generate", length=10),
        await place.admin.slash(place.channel, "models", model="Bard"),
    ]
    shutil.rmtree(bundles[0])
    broken.append(await place.admin.slash(place.channel, "generate", length=10))
    panel = await place.admin.slash(place.channel, "models", model="Bard")
    broken += [panel, await place.admin.click(answer(panel).message, label="Export")]
    read = everything(place, *broken)
    assert "This model is damaged or gone" in read
    assert not HOST.search(read), read
