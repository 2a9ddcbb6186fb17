"""The database room: tables, transactions, and queries that cannot see past a guild.

Knows nothing of Discord, of training or of the migrations that build its tables. Every query about something
a user can name takes the guild's id; the few that do not are marked as the system's own (recovery, cards).
"""

from models.database import Database
from models.errors import DatabaseError, InvalidNameError
from models.schedule_tables import PostState, Schedule, ScheduledPost, ScheduleState
from models.tables import (
    AuditEvent,
    Base,
    Corpus,
    FileRemoval,
    GuildSettings,
    JobState,
    TextModel,
    TrainingJob,
)

__all__ = [
    "AuditEvent",
    "Base",
    "Corpus",
    "Database",
    "DatabaseError",
    "FileRemoval",
    "GuildSettings",
    "InvalidNameError",
    "JobState",
    "PostState",
    "Schedule",
    "ScheduleState",
    "ScheduledPost",
    "TextModel",
    "TrainingJob",
]
