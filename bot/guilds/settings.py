"""Every setting of a server, in one table: its name, its kind, and the values that it accepts.

The options of `/settings edit`, the card of `show` and the choices of `reset` follow from `SETTINGS`.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from bot.i18n import marked
from models import GuildSettings

MAX_LENGTH = 2000
MAX_TEMPERATURE = 2.0
SHORTEST_COPY = 20
"""Characters; shorter runs occur in any two texts (`textgen.evaluation.copies`)."""


class Kind(Enum):
    """The kind of a setting's value."""

    MODEL = "model"
    DECIMAL = "decimal"
    WHOLE = "whole"
    CHANNEL = "channel"
    ROLE = "role"
    WORDS = "words"
    ZONE = "zone"
    LANGUAGE = "language"


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        option: its name in commands.
        kind: the kind of its value.
        description: one line, up to 100 characters.
        column_name: its column of `GuildSettings`; empty if that is called like the option.
        unset: the text shown if the server chose nothing and there is no default value.
        low: smallest accepted number.
        least: smallest accepted number except 0, if 0 turns the setting off; else 0.
        high: largest accepted number.
        unit: text after a number.
        has_posts: whether a forum may be chosen too; its posts count like a channel's threads.
    """

    option: str
    kind: Kind
    description: str
    column_name: str = ""
    unset: str = ""
    low: float = 0
    least: float = 0
    high: float = 0
    unit: str = ""
    has_posts: bool = False

    @property
    def column(self) -> str:
        """Its column of `GuildSettings`."""
        return self.column_name or self.option

    @property
    def default(self) -> Any:
        """The value for a server that chose nothing."""
        default = GuildSettings.__table__.c[self.column].default
        return default.arg if default is not None else None


GROUPS: Mapping[str, tuple[Setting, ...]] = {
    marked("Writing"): (
        Setting(
            "default_model",
            Kind.MODEL,
            marked("The model that writes where nobody names one"),
            column_name="default_model_id",
            unset=marked("the newest"),
        ),
        Setting(
            "temperature",
            Kind.DECIMAL,
            marked("How daring texts are: 0 plays it safe, above 1 gets wild"),
            high=MAX_TEMPERATURE,
        ),
        Setting(
            "length",
            Kind.WHOLE,
            marked("How many characters a text has"),
            low=1,
            high=MAX_LENGTH,
            unit=marked("characters"),
        ),
        Setting(
            "channel",
            Kind.CHANNEL,
            marked("The only channel where texts are written"),
            column_name="channel_id",
            unset=marked("every channel"),
            has_posts=True,
        ),
        Setting(
            "generate_role",
            Kind.ROLE,
            marked("The role that may have texts written"),
            column_name="generate_role_id",
            unset=marked("everyone"),
        ),
        Setting(
            "cooldown",
            Kind.DECIMAL,
            marked("Seconds between two texts of one person"),
            column_name="cooldown_s",
            high=3600,
            unit="s",
        ),
        Setting(
            "longest_copy",
            Kind.WHOLE,
            marked("Characters in one piece that a text may share with its corpus, from 20 on; 0 allows any"),
            least=SHORTEST_COPY,
            high=2000,
            unit=marked("characters"),
        ),
        Setting(
            "hidden_words",
            Kind.WORDS,
            marked("Words that are hidden in texts, separated by commas; replaces the list"),
            unset=marked("none"),
        ),
        Setting(
            "language",
            Kind.LANGUAGE,
            marked("The language of cards, posts and notices that everyone reads"),
            unset=marked("as Discord says"),
        ),
    ),
    marked("Training"): (
        Setting(
            "trainer_role",
            Kind.ROLE,
            marked("The role that may train, beside those with Manage Server"),
            column_name="trainer_role_id",
            unset=marked("none"),
        ),
        Setting(
            "trainings_a_day",
            Kind.WHOLE,
            marked("Trainings that may begin in 24 hours"),
            high=500,
        ),
        Setting(
            "trainings_a_person",
            Kind.WHOLE,
            marked("Trainings that one person may have queued or running"),
            high=100,
        ),
    ),
    marked("Schedules"): (
        Setting(
            "schedules",
            Kind.WHOLE,
            marked("Schedules that this server may have"),
            high=25,
        ),
        Setting(
            "timezone",
            Kind.ZONE,
            marked("Time zone of schedules that name none, such as Europe/Berlin"),
        ),
    ),
    marked("Privacy and reports"): (
        Setting(
            "keep_corpora_days",
            Kind.WHOLE,
            marked("Days after its last training that an uploaded text is deleted"),
            unset=marked("unlimited"),
            high=3650,
            unit=marked("days"),
        ),
        Setting(
            "report_channel",
            Kind.CHANNEL,
            marked("The channel that reports of texts go to"),
            column_name="report_channel_id",
            unset=marked("none"),
        ),
    ),
}
"""Settings by the heading under which they are shown together."""

SETTINGS = tuple(itertools.chain.from_iterable(GROUPS.values()))

BY_OPTION = {setting.option: setting for setting in SETTINGS}
