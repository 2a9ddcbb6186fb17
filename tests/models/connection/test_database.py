"""Transactions: nothing lost among many writers or to a kill; one clear line where there is no database."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

import migrations
from models import Database, DatabaseError, GuildSettings, guilds

REPOSITORY = Path(__file__).parents[3]


def add_one(session: Session) -> None:
    """Read, compute, write: what loses updates where writers do not wait for each other."""
    settings = session.get_one(GuildSettings, 1, with_for_update=True)
    settings.length = settings.length + 1


@pytest.mark.slow
def test_400_concurrent_updates_from_threads_and_the_event_loop_all_count(database: Database) -> None:
    with database.write() as session:
        guilds.edit(session, 1, length=1)

    def in_this_thread() -> None:
        with database.write() as session:
            add_one(session)

    async def in_the_event_loop() -> None:
        await asyncio.gather(*(database.call(add_one, write=True) for _ in range(200)))

    with ThreadPoolExecutor(max_workers=12) as threads:
        updates = [threads.submit(in_this_thread) for _ in range(200)]
        asyncio.run(in_the_event_loop())
        for update in updates:
            update.result()

    with database.read() as session:
        assert guilds.settings_of(session, 1).length == 401


def test_a_reader_sees_one_moment_while_others_write(database: Database) -> None:
    with database.write() as session:
        guilds.edit(session, 1, length=1)
    with database.read() as reader:
        before = guilds.settings_of(reader, 1).length
        with database.write() as session:
            guilds.edit(session, 1, length=2)
        if database.url.get_backend_name() == "sqlite":
            assert reader.scalar(sa.select(GuildSettings.length)) == before == 1
    with database.read() as reader:
        assert guilds.settings_of(reader, 1).length == 2


def test_a_reading_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseError, match="read-only"), database.read() as session:
        guilds.edit(session, 1, length=3)
    with database.write() as session:
        assert session.get(GuildSettings, 1) is None
        guilds.edit(session, 1, length=3)


def test_an_exception_undoes_the_whole_transaction(database: Database) -> None:
    def interrupted(session: Session) -> None:
        guilds.edit(session, 1, length=3)
        raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        asyncio.run(database.call(interrupted, write=True))
    with database.read() as session:
        assert session.get(GuildSettings, 1) is None


def test_what_was_read_stays_readable_outside_and_in_another_thread(database: Database) -> None:
    settings = asyncio.run(database.call(lambda session: guilds.edit(session, 1, length=3), write=True))
    assert settings.length == 3
    assert settings.updated_at.utcoffset() is not None


def test_sqlite_is_set_up_for_durability(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/pastiche.sqlite")
    for transaction in (database.read, database.write):
        with transaction() as session:
            found = {
                name: session.scalar(sa.text(f"PRAGMA {name}"))
                for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
            }
        assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 15_000}
    database.dispose()


COMMIT_FOR_EVER = """
import sys
from models import Database, guilds
database = Database(sys.argv[1])
while True:
    with database.write() as session:
        length = guilds.settings_of(session, 1).length
        guilds.edit(session, 1, length=length + 1)
    print(length + 1, flush=True)
"""


@pytest.mark.slow
def test_kill_9_loses_no_committed_row(database: Database, children: list[subprocess.Popen[str]]) -> None:
    url = database.url.render_as_string(hide_password=False)
    with database.write() as session:
        guilds.edit(session, 1, length=1)
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", COMMIT_FOR_EVER, url], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )
        children.append(child)
        assert child.stdout is not None
        acknowledged = int(child.stdout.readline())
        time.sleep(random.uniform(0.02, 0.15))
        os.kill(child.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout if line.endswith("\n"))])
        child.wait()
        with database.read() as session:
            # One commit may have been finished and not yet printed.
            assert guilds.settings_of(session, 1).length in (acknowledged, acknowledged + 1)
    if database.url.get_backend_name() == "sqlite":
        with database.read() as session:
            assert session.scalar(sa.text("PRAGMA integrity_check")) == "ok"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "not a URL"),
        ("pastiche.sqlite", "not a URL"),
        ("mysql://root:secret@localhost/x", "no support for databases of the kind 'mysql'"),
        ("sqlite+aiosqlite:///x.sqlite", "no support for databases of the kind"),
        ("postgres://u:secret@localhost/x", "use sqlite:///FILE or postgresql"),
        ("sqlite://", "must be a plain file"),
        ("sqlite:///:memory:", "must be a plain file"),
        ("sqlite:///file:x?mode=memory&uri=true", "must be a plain file"),
    ],
)
@pytest.mark.parametrize("use", [Database, migrations.upgrade, migrations.current])
def test_an_address_that_is_none_is_refused_in_one_line(
    use: Callable[[str], object], url: str, said: str
) -> None:
    with pytest.raises(DatabaseError) as caught:
        use(url)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def open_for_reading(url: str) -> None:
    with Database(url).read():
        pass


@pytest.mark.parametrize("use", [open_for_reading, migrations.upgrade, migrations.current])
def test_a_place_that_cannot_be_used_is_named_in_one_line(
    use: Callable[[str], object], tmp_path: Path
) -> None:
    (tmp_path / "a file").write_text("not a folder")
    (tmp_path / "text.sqlite").write_text(
        "certainly not a database, and long enough to be told from one\n" * 99
    )
    (tmp_path / "folder.sqlite").mkdir()
    places = {
        "absent/pastiche.sqlite": "there is no folder",
        "a file/pastiche.sqlite": "there is no folder",
        "folder.sqlite": "cannot be opened",
        "text.sqlite": "file is not a database",
    }
    for place, said in places.items():
        with pytest.raises(DatabaseError, match=said) as caught:
            use(f"sqlite:///{tmp_path}/{place}")
        assert str(tmp_path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "absent").exists()


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    # Root may write wherever a folder's mode forbids it, but not into the kernel's own.
    folder = tmp_path if os.geteuid() else Path("/proc/self")
    if folder == tmp_path:
        folder.chmod(0o500)
    with pytest.raises(DatabaseError, match=f"is {folder} writable for this user"):
        migrations.upgrade(f"sqlite:///{folder}/pastiche.sqlite")


def test_a_server_that_does_not_answer_is_one_line_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        migrations.upgrade(f"postgresql://pastiche:secret@/x?host={tmp_path}")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_database_without_tables_says_so(url: str) -> None:
    database = Database(url)
    with (
        pytest.raises((DatabaseError, sa.exc.ProgrammingError), match="guild_settings"),
        database.read() as session,
    ):
        guilds.settings_of(session, 1)
    database.dispose()
