"""Schedules, their posts and their notices."""

import datetime

from tests.gallery.stage import Stage
from tests.support.bot.schedules import Clock, ended, known, posts

EVERY_DAY = {"when": "daily 09:00", "timezone": "Europe/Berlin"}


async def scene(stage: Stage) -> None:
    place, world = stage.place, stage.world
    model_id = world.give_model(place, stage.bundle)
    clock = Clock(world)
    clock.moment = datetime.datetime.now(datetime.UTC)
    stage.keep("refused: unreadable rule", await stage.slash("schedule add", when="sometimes"))
    stage.keep("schedules, none", await stage.slash("schedule list"))
    dropped = await stage.slash("schedule add", **EVERY_DAY)
    await place.admin.click(dropped.response, custom_id=f"schedule:{_draft(dropped)}:cancel")
    stage.keep("schedule dropped", dropped)
    preview = await stage.slash(
        "schedule add", seed="Good morrow, ", temperature=0.8, length=160, model="Bard", **EVERY_DAY
    )
    stage.keep("schedule preview", preview)
    await place.admin.click(preview.response, custom_id=f"schedule:{_draft(preview)}:confirm")
    stage.keep("schedule saved", preview)
    (first,) = known(world, place)
    weekly = await stage.slash("schedule add", when="every monday 08:15", timezone="UTC")
    await place.admin.click(weekly.response, custom_id=f"schedule:{_draft(weekly)}:confirm")
    second = known(world, place)[-1]
    stage.keep("schedule paused", await stage.slash("schedule pause", schedule=second.id))
    stage.keep("schedules", await stage.slash("schedule list"))
    stage.keep("schedule run", await stage.slash("schedule run", schedule=first.id))
    await clock.at(first.next_slot + datetime.timedelta(seconds=3))
    await ended(world, place, first.id)
    post = posts(place)[-1]
    stage.keep("post", post)
    stage.keep("posts stopped", await place.admin.click(post, custom_id=f"stop-posts:{first.id}"))
    stage.keep("schedule resumed", await stage.slash("schedule resume", schedule=first.id))
    # A model that a schedule names is deleted, which pauses the schedule.
    before = place.channel.last_message.id
    panel = await stage.slash("models", model="Bard")
    for action in ("delete", "confirm"):
        await place.admin.click(panel.response, custom_id=f"model:{action}:{model_id}")
    await stage.until(lambda: place.channel.last_message.id not in (before, panel.response.id))
    stage.keep("notice of a pause", place.channel.last_message)
    stage.keep("schedule removed", await stage.slash("schedule remove", schedule=second.id))


def _draft(shown: object) -> str:
    ids = [item["custom_id"] for row in shown.response.components for item in row["components"]]
    return ids[0].split(":")[1]
