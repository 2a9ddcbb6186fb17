"""The welcome, help, settings and the audit log."""

from bot.commands.background.welcome import welcome
from models import audit
from tests.gallery.stage import Stage

PAGES = 5
"""So many times the same changes, so that there are pages to turn."""


async def scene(stage: Stage) -> None:
    place, world = stage.place, stage.world
    world.give_model(place, stage.bundle)
    channel = world.bot.get_partial_messageable(place.channel.id, guild_id=place.guild.id)
    stage.keep("welcome", await channel.send(embed=welcome()))
    stage.keep("help", await stage.slash("help", place.member))
    stage.keep("help for one command", await stage.slash("help", command="generate"))
    stage.keep("about", await stage.slash("about"))
    poets = place.guild.create_role("Poets")
    stage.keep("what can be set", await stage.slash("settings edit"))
    changed = {
        "default_model": "Bard",
        "temperature": 0.9,
        "generate_role": poets,
        "timezone": "Europe/Berlin",
    }
    stage.keep("settings changed", await stage.slash("settings edit", hidden_words="soup, tomato", **changed))
    shown = await stage.slash("settings show")
    stage.keep("settings", shown)
    stage.keep("settings reset", await stage.slash("settings reset", setting="timezone"))
    with world.bot.database.write() as session:
        for action, subject in (
            ("training.queued", "Bard"),
            ("model.exported", "Bard"),
            ("schedule.added", "daily 09:00 Europe/Berlin"),
            ("data.exported", ""),
        ) * PAGES:
            audit.record(session, place.guild.id, place.admin.id, action, subject)
    stage.keep("recent changes", await place.admin.click(shown.response, custom_id="settings:changes"))
    stage.keep("refused: no permission", await world.press_forged(place, place.member, "settings:changes"))
