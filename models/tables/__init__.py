"""The tables. A change here needs a new revision in ``migrations/versions``.

Each guild's rows are walled off in the database too: rows refer to each other by guild and id together, so a
row of one guild cannot refer to a row of another. There are no relationships to load: what a session returned
stays readable after the session.
"""

from models.tables.base import Base, guild_tables
from models.tables.columns import utc_now
from models.tables.games import GameAnswer, GameRound, GameScore
from models.tables.guilds import AuditEvent, GuildSettings
from models.tables.host import FileRemoval, Host, Installation
from models.tables.schedules import UNDER_WAY, PostState, Schedule, ScheduledPost, ScheduleState
from models.tables.training import (
    NAME_CHARACTERS,
    NO_CURVE,
    UNFINISHED,
    Corpus,
    JobState,
    TextModel,
    TrainingJob,
)

__all__ = [
    "NAME_CHARACTERS",
    "NO_CURVE",
    "UNDER_WAY",
    "UNFINISHED",
    "AuditEvent",
    "Base",
    "Corpus",
    "FileRemoval",
    "GameAnswer",
    "GameRound",
    "GameScore",
    "GuildSettings",
    "Host",
    "Installation",
    "JobState",
    "PostState",
    "Schedule",
    "ScheduleState",
    "ScheduledPost",
    "TextModel",
    "TrainingJob",
    "guild_tables",
    "utc_now",
]
