"""What is looked for every few seconds, or in all servers, is found by an index, and set by set."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import (
    Corpus,
    Database,
    ServedShards,
    guilds,
    personal_data,
    retention,
    scheduled_posts,
    schedules,
    training_jobs,
)
from tests.support.rows import new_corpus, new_job

NOW = datetime.now(UTC)
HALF = ServedShards(2, frozenset({0}))
LOOKS = {
    "cards": lambda s: training_jobs.changed_cards(s, served=HALF),
    "pauses to tell": lambda s: schedules.to_tell(s, served=HALF),
    "due posts": lambda s: schedules.due(s, NOW, served=HALF),
    "posts under way": lambda s: scheduled_posts.ready(s, NOW, away=(), limit=10, served=HALF),
    "guilds in any table": personal_data.guild_ids,
}
LARGE = ("training_job", "schedule", "scheduled_post", "corpus", "text_model", "audit_event")


def plans(database: Database, look: object) -> list[str]:
    """What SQLite does for each statement of a look."""
    seen: list[tuple[str, object]] = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: object, *_rest: object
    ) -> None:
        if statement.startswith(("SELECT", "WITH")):
            seen.append((statement, parameters))

    sa.event.listen(database._engine, "before_cursor_execute", note)
    with database.read() as session:
        look(session)
        driver = session.connection().connection.driver_connection
        found = [
            row[3]
            for statement, parameters in list(seen)
            for row in driver.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        ]
    sa.event.remove(database._engine, "before_cursor_execute", note)
    assert found
    return found


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", LOOKS)
def test_no_table_that_grows_is_read_from_one_end_to_the_other(database: Database, name: str):
    with database.write() as session:
        new_job(session, 1)
    lines = plans(database, LOOKS[name])
    reads = [line for line in lines if line.startswith("SCAN") and line.split()[1] in LARGE]
    # An index of few rows may be read as a whole.
    partial = ("ix_training_job_changed", "ix_schedule_to_tell")
    assert [line for line in reads if not any(index in line for index in partial)] == []


def test_every_guild_is_found_however_many_rows_it_has(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_data, "PAGE", 4)
    with database.write() as session:
        for guild_id in range(1, 12):
            for _ in range(guild_id % 3 + 1):
                new_corpus(session, guild_id << 22)
        guilds.edit(session, 99 << 22)
    with database.read() as session:
        assert personal_data.guild_ids(session) == {each << 22 for each in (*range(1, 12), 99)}
        served = retention.presence_marks(session, HALF)
    assert served == {each << 22: False for each in range(2, 12, 2)}


def welcomed(session: Session, guild_id: int) -> datetime | None:
    return guilds.settings_of(session, guild_id).welcomed_at


def test_guilds_that_arrive_together_are_each_greeted_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guilds, "AT_ONCE", 3)
    with database.write() as session:
        guilds.edit(session, 1, welcomed_at=NOW - timedelta(days=9))
        guilds.edit(session, 2, removed_at=NOW, temperature=0.3)
        assert guilds.arrived(session, [1, 2, 3, 4, 5, 6, 7, 7], NOW) == {2, 3, 4, 5, 6, 7}
        assert guilds.arrived(session, range(1, 9), NOW + timedelta(hours=1)) == {8}
        assert welcomed(session, 1) == NOW - timedelta(days=9)
        assert welcomed(session, 2) == NOW
        known = guilds.settings_of(session, 2)
        assert (known.removed_at, known.temperature) == (None, 0.3)
        assert guilds.settings_of(session, 8).length == guilds.settings_of(session, 12345).length


def test_guilds_that_come_back_are_unmarked_and_no_others(database: Database) -> None:
    with database.write() as session:
        for guild_id in (1, 2, 3):
            guilds.edit(session, guild_id, removed_at=NOW)
        guilds.came_back(session, [1, 3, 4])
    with database.read() as session:
        assert retention.left_before(session, NOW + timedelta(days=1)) == [2]


def test_texts_are_expired_a_part_at_a_time_and_only_of_served_guilds(database: Database) -> None:
    ours, theirs = 2 << 22, 1 << 22
    with database.write() as session:
        for guild_id in (ours, theirs):
            guilds.edit(session, guild_id, keep_corpora_days=7)
            for _ in range(5):
                new_corpus(session, guild_id).created_at = NOW - timedelta(days=8)
        session.flush()
        found = [len(retention.expire_texts(session, NOW, HALF, limit=2)) for _ in range(4)]
        assert found == [2, 2, 1, 0]
        left = session.scalars(sa.select(Corpus.guild_id).where(Corpus.text_deleted_at.is_(None)))
        assert set(left) == {theirs}
