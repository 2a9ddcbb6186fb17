"""The list of models, and the panel of one."""

import datetime

from models import text_models
from tests.gallery.stage import Stage
from tests.support.rows import new_corpus, new_model

UPLOADED = datetime.datetime(2026, 11, 3, 18, 30, tzinfo=datetime.UTC)


async def scene(stage: Stage) -> None:
    place, world = stage.place, stage.world
    stage.keep("models, none", await stage.slash("models"))
    world.give_model(place, stage.bundle, "Bard")
    world.learn_from(place, "To be, or not to be.\n" * 3000, stage.folder)
    with world.bot.database.write() as session:
        corpus = new_corpus(
            session, place.guild.id, "To be.\n" * 3000, filename="tragedies.txt", uploaded_by=place.member.id,
            rights_confirmed_at=UPLOADED, sha256="cd" * 32,
        )  # fmt: skip
        text_models.by_name(session, place.guild.id, "Bard").corpus_id = corpus.id
    await stage.slash("generate", seed="To be", length=20)
    stage.keep("model", await stage.slash("models", model="Bard"))
    exported = await place.admin.click(
        (await stage.slash("models", model="Bard")).response, custom_id=_id(stage, "export")
    )
    stage.keep("model exported", exported)
    form = await place.admin.click(exported.response, custom_id=_id(stage, "page"))
    stage.keep("form: web page", form)
    about = {"licence": "Public domain", "origin": "tragedies.txt"}
    stage.keep("model as a web page", await place.admin.submit_modal(form, about))
    await _bring(stage, "Guest")
    opened = await stage.slash("models", model="Guest")
    await place.admin.click(opened.response, custom_id=_id(stage, "default", "Guest"))
    stage.keep("model, default and imported", opened)
    stage.keep(
        "form: rename", await place.admin.click(opened.response, custom_id=_id(stage, "rename", "Guest"))
    )
    stage.keep("models", await stage.slash("models"))
    await place.admin.click(opened.response, custom_id=_id(stage, "delete", "Guest"))
    stage.keep("delete the model?", opened)
    await place.admin.click(opened.response, custom_id=_id(stage, "confirm", "Guest"))
    stage.keep("model deleted", opened)
    with world.bot.database.write() as session:
        for number in range(1, 10):
            new_model(
                session,
                place.guild.id,
                name=f"Sonnets of a summer's day, volume {number}",
                created_by=place.admin.id,
            )
    stage.keep("models, two pages", await stage.slash("models"))


def _id(stage: Stage, action: str, name: str = "Bard") -> str:
    with stage.world.bot.database.read() as session:
        return f"model:{action}:{text_models.by_name(session, stage.place.guild.id, name).id}"


async def _bring(stage: Stage, name: str) -> None:
    """Import the bundle that an export made, under another name."""
    from bot.bundles import archive

    packed = archive.pack(stage.bundle, 10 * 2**20)
    listed = await stage.slash("models")
    form = await stage.place.admin.click(listed.response, custom_id="import")
    stage.keep("form: import", form)
    brought = await stage.place.admin.submit_modal(form, {"name": name, "bundle": ("bundle.zip", packed)})
    stage.keep("model imported", brought)
