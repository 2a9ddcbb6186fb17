"""Trainings from the upload to the end, their cards and the list of them."""

import datetime
import json
from typing import Any

from bot.infra.storage import keys
from models import JobState, TrainingJob, text_models
from models.tables import utc_now
from tests.gallery.stage import Stage
from tests.support.bot.trainings import train
from tests.support.texts.chats import lines
from textgen.corpus.shakespeare import plays
from textgen.files.bundle_files import PICTURE

CHAT = lines("[{at:%d.%m.%y, %H:%M:%S}] {who}: {text}\n")()
SECONDS = (4, 8, 15, 24, 35, 50, 70, 90)
LOSSES = (2.61, 2.2, 1.98, 1.84, 1.74, 1.68, 1.64, 1.62)
FIRST = "the wher hou sand thes and me\nto hath and so the"
LATER = (
    "KING HENRY.\nWhat is the matter with the noble duke?\nThe day is come, and I must to the field,\n"
    "And leave thee here to keep the crown of France."
)


async def scene(stage: Stage) -> None:
    place, world = stage.place, stage.world
    stage.keep("jobs, none", await stage.slash("jobs"))
    world.hold_back()
    text = plays()[0][:60_000]
    stage.keep("refused: no rights", await train(place, text, rights=False))
    stage.keep("refused: no text", await train(place, b"%PDF-1.7"))
    stage.keep("refused: too short", await train(place, "To be."))
    stage.keep("refused: a chat", await train(place, CHAT))
    stage.keep("train: queued, to the person", await train(place, text, minutes=2.0, name="Hamlet"))
    hamlet = stage.job().id
    stage.keep("training queued", place.channel.last_message)
    secret = "password = hunter2hunter2\nAKIAIOSFODNN7EXAMPLE\n"
    await train(place, text[:30_000] + secret, actor=place.admin, minutes=10.0, name="Sonnets", level="word")
    sonnets = stage.job().id
    stage.keep("training queued, with notes", place.channel.last_message)

    async def card(job_id: str, kind: str, **values: Any) -> None:
        with world.bot.database.write() as session:
            job = session.get_one(TrainingJob, job_id)
            for name, value in values.items():
                setattr(job, name, value)
            job.revision += 1
        with world.bot.database.read() as session:
            job = session.get_one(TrainingJob, job_id)
        await world.bot.get_cog("Train").cards.show(job)
        stage.keep(kind, next(each for each in place.channel.history() if each.id == job.message_id))

    started = utc_now() - datetime.timedelta(seconds=95)
    await card(hamlet, "training starts", state=JobState.TRAINING, started_at=started, attempt=1)
    _draw(stage, hamlet)
    await card(
        hamlet, "training", fraction=0.62, loss=1.66, eta_s=46.0, sample=LATER,
        samples=json.dumps([[0.1, FIRST], [0.5, LATER]]), curve=json.dumps(_curve()),
    )  # fmt: skip
    stage.keep("jobs", await stage.slash("jobs"))
    await card(hamlet, "training finishes early", finish_requested=True)
    world.give_model(place, stage.bundle, "Hamlet")
    with world.bot.database.read() as session:
        model_id = text_models.by_name(session, place.guild.id, "Hamlet").id
    await card(
        hamlet, "training done", state=JobState.DONE, finish_requested=False, fraction=1.0, model_id=model_id,
        validation_loss=LOSSES[-1], finished_at=utc_now(), samples=json.dumps([[0.1, FIRST], [1.0, LATER]]),
    )  # fmt: skip
    done = next(each for each in place.channel.history() if "Hamlet" in str(each.embeds[0].title))
    stage.keep(
        "made the default, to the person",
        await place.admin.click(done, custom_id=f"trained:default:{model_id}"),
    )
    cancelled = await place.admin.click(place.channel.last_message, custom_id=f"cancel:{sonnets}")
    stage.keep("cancelled, to the person", cancelled)
    await card(sonnets, "training cancelled")
    await train(place, text, name="Hamlet")
    failed = stage.job().id
    error = "the loss is no longer a number; a lower --learning-rate helps"
    await card(failed, "training failed", state=JobState.FAILED, error=error, finished_at=utc_now())


def _curve() -> list[list[float | None]]:
    return [[second, loss + 0.08, loss] for second, loss in zip(SECONDS, LOSSES, strict=True)]


def _draw(stage: Stage, job_id: str) -> None:
    """Leave the picture of the losses where the trainer leaves it."""
    # Matplotlib takes a second to load, and only this scene needs it.
    from textgen.training.reporting.plotting import write_loss_curve

    history = [
        {"seconds": second, "training_loss": training or 0.0, "validation_loss": loss or 0.0}
        for second, training, loss in _curve()
        if second
    ]
    guild_id = stage.place.guild.id
    for place in (keys.checkpoint_key(guild_id, job_id, 1), keys.bundle_key(guild_id, job_id)):
        folder = stage.world.bot.layout.located(place)
        folder.mkdir(parents=True, exist_ok=True)
        write_loss_curve(history, folder / PICTURE, unit="character", limit_s=120)
