"""The database room: tables, transactions, and queries that cannot see past a guild.

Knows nothing of Discord, of training or of the migrations that build its tables. Every query about something
a user can name takes the guild's id. The few that look across guilds, for recovery and cards, say that they
are "for the bot itself".

Where things are: ``tables`` has a class for each table, ``connection`` opens the database, and the other
modules hold the queries of one subject each.

To add a column:

1. Declare it in ``tables``.
2. Draft its migration with ``make migration MESSAGE="what changed"`` and read it.
3. Write and read it in the query module of its table. A setting of a guild is a key of
   ``guilds.SettingsValues`` instead.
4. Show it. A setting of a guild is an entry in ``bot/guilds/settings.py``; its option of ``/settings edit``
   and its line on the card follow from that.

A column that holds a person's Discord id is named as `personal_data` says; it is then exported and deleted
with the person's data.
"""

from models import audit, games, guilds, hosts, personal_data, retention
from models.connection.database import Database
from models.connection.errors import DatabaseError
from models.scheduling import scheduled_posts, schedules
from models.shards import EVERY_GUILD, ServedShards
from models.tables import (
    AuditEvent,
    Base,
    Corpus,
    FileRemoval,
    GameRound,
    GameScore,
    GuildSettings,
    Host,
    JobState,
    PostState,
    Schedule,
    ScheduledPost,
    ScheduleState,
    TextModel,
    TrainingJob,
    utc_now,
)
from models.training import corpora, queue_order, text_models, training_jobs
from models.training.names import InvalidNameError

__all__ = [
    "EVERY_GUILD",
    "AuditEvent",
    "Base",
    "Corpus",
    "Database",
    "DatabaseError",
    "FileRemoval",
    "GameRound",
    "GameScore",
    "GuildSettings",
    "Host",
    "InvalidNameError",
    "JobState",
    "PostState",
    "Schedule",
    "ScheduleState",
    "ScheduledPost",
    "ServedShards",
    "TextModel",
    "TrainingJob",
    "audit",
    "corpora",
    "games",
    "guilds",
    "hosts",
    "personal_data",
    "queue_order",
    "retention",
    "scheduled_posts",
    "schedules",
    "text_models",
    "training_jobs",
    "utc_now",
]
