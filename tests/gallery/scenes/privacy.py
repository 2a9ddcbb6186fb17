"""What is stored about a person and a server, and its deletion."""

from tests.gallery.stage import Stage
from tests.support.rows import new_corpus, new_job


async def scene(stage: Stage) -> None:
    place, world = stage.place, stage.world
    stage.keep("privacy, nothing", await stage.slash("privacy show", place.member))
    stage.keep("nothing to delete", await stage.slash("privacy delete", place.member))
    world.hold_back()
    world.give_model(place, stage.bundle)
    corpus_id = world.learn_from(place, "To be, or not to be.\n" * 3000, stage.folder)
    with world.bot.database.write() as session:
        corpus = new_corpus(
            session, place.guild.id, "To be.\n" * 900, uploaded_by=place.member.id, sha256="cd" * 32
        )
        new_job(session, place.guild.id, corpus.id, requested_by=place.member.id)
    del corpus_id
    stage.keep("privacy", await stage.slash("privacy show", place.member))
    stage.keep("privacy of a manager", await stage.slash("privacy show"))
    stage.keep("privacy export", await stage.slash("privacy export"))
    question = await stage.slash("privacy delete")
    stage.keep("delete my data?", question)
    button = question.response.components[0]["components"][0]["custom_id"]
    await place.admin.click(question.response, custom_id=button)
    stage.keep("deleted", question)
    stage.keep("delete the server's data?", await stage.slash("privacy delete", scope="server"))
