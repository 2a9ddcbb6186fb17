"""A database with the rows of thousands of servers: one is written, and the database copies it."""

from __future__ import annotations

import datetime
import json

import sqlalchemy as sa

import migrations
from models import Base, GuildSettings, ServedShards
from models.connection.engine import make_engine, parse_url

FIRST = 240_000_000_000
PER_SERVER = 20
POSTS = 20
CHANGED, WAITING, TO_TELL = 30, 100, 20
"""Servers in which a card is out of date, a training waits, and a pause must be told, by default."""
TEXTS_KEPT_DAYS = 30


def guild_id(number: int) -> int:
    """Return the id of a server: 0 is the first."""
    return (FIRST + number) << 22


def seed(
    url: str,
    servers: int,
    *,
    waiting: int = WAITING,
    changed: int = CHANGED,
    kept_days: int = TEXTS_KEPT_DAYS,
) -> None:
    """Make the tables, with 20 models, 20 texts, 20 trainings and 2 schedules with 20 posts each a server.

    A quarter of the servers keep their texts for some days only. The texts are up to 60 days old.

    Args:
        url: of an empty database.
        servers: how many there are.
        waiting: in how many of them a training waits.
        changed: in how many of these it runs, with a card that is out of date.
        kept_days: for how long these servers keep a text.
    """
    migrations.upgrade(url)
    engine = make_engine(parse_url(url), foreign_keys=False).execution_options(writes=True)
    tables = Base.metadata.tables
    with engine.begin() as connection:
        rows = _one_server()
        for name, values in rows.items():
            connection.execute(sa.insert(tables[name]), values)
        made, level = 1, 0
        while made < servers:
            copied = min(made, servers - made)
            for name, values in rows.items():
                connection.execute(_copy(tables[name], made, copied, level, len(values)))
            made, level = made + copied, level + 1
        for statement in _variety(tables, waiting, changed, kept_days):
            connection.execute(statement)
        if engine.dialect.name == "postgresql":
            for name in rows:
                if name not in ("guild_settings", "training_job"):
                    sequence = f"pg_get_serial_sequence('{name}', 'id')"
                    connection.exec_driver_sql(f"SELECT setval({sequence}, (SELECT max(id) FROM {name}))")  # noqa: S608 -- our own names
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    engine.dispose()


def _one_server() -> dict[str, list[dict[str, object]]]:
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    guild = guild_id(0)
    choices = {"temperature": 0.7, "length": 500, "hidden_words": "", "longest_copy": 50, "cooldown_s": 0}
    limits = {"trainings_a_day": 20, "trainings_a_person": 2, "schedules": 10, "timezone": "UTC"}
    times = {"created_at": now, "updated_at": now}
    rows: dict[str, list[dict[str, object]]] = {
        "guild_settings": [{"guild_id": guild, "welcomed_at": now, **choices, **limits, **times}]
    }
    for table in ("corpus", "text_model", "training_job", "schedule", "scheduled_post", "audit_event"):
        rows[table] = []
    for number in range(PER_SERVER):
        at = now - (number * 60 / PER_SERVER) * day
        person, model = guild + number % 5, f"model {number}"
        size = {"characters": 100_000}
        text = {"sha256": f"{number:064x}", "filename": "c.txt", "path": f"c/{number}.txt", "lines": 3000}
        rows["corpus"].append(
            {"id": number + 1, "guild_id": guild, **text, **size, "symbols": 80, "uploaded_by": person}
            | {"rights_confirmed_at": at, "created_at": at}
        )
        kind = {"level": "char", "cell": "linear", "parameters": 300_000, "vocabulary": 80}
        rows["text_model"].append(
            {"id": number + 1, "guild_id": guild, "name": model, "name_key": model, **kind, **size}
            | {"bundle_path": f"m/{number}", "corpus_id": number + 1, "validation_loss": 1.5}
            | {"created_by": person, "created_at": at, "updated_at": at, "generations": 1, "imported": False}
        )
        shown = {
            "notes": "",
            "finish_requested": False,
            "curve": json.dumps([[step, 2.0, 2.1] for step in range(1, 61)]),
            "sample": "x" * 900,
        }
        shown |= {"samples": '[[0.1, "' + "x" * 900 + '"]]', "revision": 50, "shown_revision": 50}
        rows["training_job"].append(
            {"id": f"{number:032x}", "guild_id": guild, "channel_id": guild + 1, "message_id": guild + 2}
            | {"requested_by": person, "corpus_id": number + 1, "model_name": model, "minutes": 5.0}
            | {"level": "char", "state": "done", "fraction": 1.0, "model_id": number + 1, **shown}
            | {"created_at": at, "started_at": at, "finished_at": at, "updated_at": at}
        )
        rows["audit_event"].append(
            {"id": number + 1, "guild_id": guild, "actor_id": person, "action": "training.queued"}
            | {"subject": model, "details": "{}", "created_at": at}
        )
    nine = now.replace(hour=9, minute=0, second=0, microsecond=0)
    for schedule in range(2):
        rule = {"rule": "daily 09:00", "timezone": "UTC", "anchor": now, "seed": "", "paused_reason": ""}
        rows["schedule"].append(
            {"id": schedule + 1, "guild_id": guild, "channel_id": guild + 1, "created_by": guild, **rule}
            | {
                "state": "active",
                "next_slot": nine if now < nine else nine + day,
                "notice_due": False,
                **times,
            }
        )
        for number in range(POSTS):
            rows["scheduled_post"].append(
                {"id": schedule * POSTS + number + 1, "guild_id": guild, "schedule_id": schedule + 1}
                | {"slot": now - (number + 1) * day, "state": "sent", "random_seed": 1, "error": ""}
                | {"expires_at": now, "message_id": 1, **times}
            )
    return rows


def _copy(table: sa.Table, made: int, copied: int, level: int, per_server: int) -> sa.Insert:
    """Return what copies the first servers behind those that are there."""
    numbered = {"corpus_id": PER_SERVER, "model_id": PER_SERVER, "schedule_id": 2, "id": per_server}
    values: dict[str, sa.ColumnElement[object]] = {}
    for column in table.c:
        value: sa.ColumnElement[object] = column
        if column.name in ("guild_id", "channel_id"):
            value = column + sa.literal(made << 22, sa.BigInteger)
        elif isinstance(column.type, sa.String) and column.name == "id":
            # A digit for each doubling: no two copies have the same ones.
            before = sa.func.substr(column, 1, level, type_=sa.String)
            value = before + "1" + sa.func.substr(column, level + 2, type_=sa.String)
        elif column.name in numbered:
            value = column + sa.literal(made * numbered[column.name], sa.Integer)
        values[column.name] = value
    chosen = sa.select(*values.values()).where(table.c.guild_id < guild_id(copied))
    return sa.insert(table).from_select(list(values), chosen, include_defaults=False)


def _variety(
    tables: sa.FacadeDict[str, sa.Table], waiting: int, changed: int, kept_days: int
) -> list[sa.Update]:
    """Return what makes some servers different from the others."""
    settings, job, schedule = tables["guild_settings"], tables["training_job"], tables["schedule"]
    some = ServedShards(4, frozenset({0})).rows(GuildSettings.guild_id)
    newest = job.c.id.like("%" + "0" * 8)

    def first(table: sa.Table, servers: int) -> sa.ColumnElement[bool]:
        return table.c.guild_id < guild_id(servers)

    unfinished = {"finished_at": None, "model_id": None, "fraction": 0.0}
    return [
        sa.update(settings).where(some).values(keep_corpora_days=kept_days),
        sa.update(job)
        .where(first(job, waiting), newest)
        .values(state="queued", started_at=None, revision=1, shown_revision=1, **unfinished),
        sa.update(job).where(first(job, changed), newest).values(state="training", revision=60, **unfinished),
        sa.update(schedule)
        .where(first(schedule, TO_TELL))
        .values(state="paused", next_slot=None, notice_due=True),
    ]
