"""The inventory: everything that is stored, and how long it is kept.

A command that stores something new adds a line here. `/privacy show` lists the inventory and PRIVACY.md
repeats it; tests check that every table with data of a guild is in it.
"""

from dataclasses import dataclass

from bot.i18n import marked


@dataclass(frozen=True)
class Stored:
    """One kind of data that is stored.

    Attributes:
        what: the data, in words for the people it is about; marked for translation.
        table: name of the table that holds its rows. Its files, if any, are in the guild's folder.
        until: when and how it is deleted; marked for translation.
    """

    what: str
    table: str
    until: str


INVENTORY = (
    Stored(
        marked("Uploaded texts with file name, size, who uploaded them and when they said that they may"),
        "corpus",
        marked("until their uploader has them deleted, or as many days after training as the server chose"),
    ),
    Stored(
        marked("Trainings: who asked, the model's name, channel, figures and the last sample"),
        "training_job",
        marked("until the server's data is deleted; a person's id, until they delete their data"),
    ),
    Stored(
        marked(
            "Models: name, figures, who made them, the weights, how often short pieces of the text come, "
            "up to 50 of its line starts, and of a text of one item a line a short hash of each"
        ),
        "text_model",
        marked("until they are deleted in /models or with the server's data"),
    ),
    Stored(
        marked("How many texts each model wrote; neither the texts, their seeds nor who asked"),
        "text_model",
        marked("as long as the model"),
    ),
    Stored(
        marked("Schedules: who made them, when, channel, model, settings and the text they go on from"),
        "schedule",
        marked("until they are removed; a person's id, until they delete their data"),
    ),
    Stored(
        marked("Posts of schedules: when, which message, how it ended, who asked for one out of turn"),
        "scheduled_post",
        marked("as long as their schedule"),
    ),
    Stored(
        marked("That single lines of an uploaded text may be shown in the game, if its uploader said so"),
        "corpus",
        marked("as long as the text"),
    ),
    Stored(
        marked("Rounds of the game: channel, message, model, its figures of the line, and who began it"),
        "game_round",
        marked("until the solution is told, a minute later"),
    ),
    Stored(
        marked("Who said Real or Pastiche in a round of the game"),
        "game_answer",
        marked("until the solution is told, a minute later"),
    ),
    Stored(
        marked("How often somebody who asked for a score was right in the game"),
        "game_score",
        marked("until they choose keep: False or delete their data, or the server's data is deleted"),
    ),
    Stored(
        marked("The settings of a server: numbers, roles, channels, hidden words"),
        "guild_settings",
        marked("until they are changed or reset, or the server's data is deleted"),
    ),
    Stored(
        marked("When the bot said hello in a server, and when it was removed from it"),
        "guild_settings",
        marked("until the server's data is deleted, at the latest 30 days after the bot was removed"),
    ),
    Stored(
        marked("Who changed, trained, deleted, scheduled or reported what, and when"),
        "audit_event",
        marked("until the server's data is deleted; a person's id, until they delete their data"),
    ),
)
