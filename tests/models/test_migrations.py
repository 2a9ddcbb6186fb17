"""The way from an empty database to today's tables, and back, whatever happens on it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import migrations
from migrations.__main__ import draft
from migrations.runner import FOLDER
from models import Base, Database, DatabaseError, text_models
from models.connection.engine import make_engine, parse_url
from models.connection.sqlite_driver import DRIVER

NEWEST = "20261202_language"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def described(url: str) -> dict[str, Any]:
    """Everything a database says of its tables, in an order of its own."""

    def in_order(constraints: Any) -> list[Any]:
        # The condition of a partial index is an object that equals no other one.
        named = [
            each | {"dialect_options": {k: str(v) for k, v in each.get("dialect_options", {}).items()}}
            for each in constraints
        ]
        return sorted(named, key=lambda each: str(each["name"]))

    engine = make_engine(parse_url(url))
    with engine.connect() as connection:
        look = sa.inspect(connection)
        description: dict[str, Any] = {
            table: [
                sorted((str(c["name"]), str(c["type"]), c["nullable"]) for c in look.get_columns(table)),
                look.get_pk_constraint(table),
                in_order(look.get_unique_constraints(table)),
                in_order(look.get_foreign_keys(table)),
                in_order(look.get_check_constraints(table)),
                in_order(look.get_indexes(table)),
            ]
            for table in sorted(look.get_table_names())
            if table != "alembic_version"
        }
        if connection.dialect.name == "sqlite":
            statements = connection.exec_driver_sql(
                "SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version' ORDER BY 1, 2"
            )
            description["sqlite_master"] = [tuple(row) for row in statements]
    engine.dispose()
    return description


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A copy of the migrations that a test may add revisions to."""
    copy = tmp_path / "history"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def add_revision(history: Path, *lines: str) -> None:
    (history / "versions" / "29991231_next.py").write_text(
        f'import sqlalchemy as sa\nfrom alembic import op\nrevision = "29991231_next"\n'
        f'down_revision = "{NEWEST}"\ndef upgrade():\n' + "".join(f"    {line}\n" for line in lines)
    )


def insert(url: str, table: str, **values: object) -> None:
    """Add a row without the help of today's ``models``: the tables may be of any revision."""
    engine = make_engine(parse_url(url)).execution_options(writes=True)
    with engine.begin() as connection:
        connection.execute(sa.Table(table, sa.MetaData(), autoload_with=connection).insert().values(**values))
    engine.dispose()


def add_corpus(url: str) -> None:
    figures = {"characters": 1, "lines": 1, "symbols": 1, "uploaded_by": 1}
    times = {"rights_confirmed_at": MOMENT, "created_at": MOMENT}
    insert(url, "corpus", guild_id=1, sha256="ab", filename="kept.txt", path="p", **figures, **times)


def add_model(url: str) -> None:
    kind = {"name": "a", "name_key": "a", "bundle_path": "p", "level": "char", "cell": "lstm"}
    figures = {"parameters": 1, "vocabulary": 1, "characters": 1, "created_by": 1}
    times = {"created_at": MOMENT, "updated_at": MOMENT}
    insert(url, "text_model", guild_id=1, corpus_id=1, **kind, **figures, **times)


def test_tables_and_migrations_agree(url: str, new_url: Callable[[], str]) -> None:
    migrations.upgrade(url)
    engine = make_engine(parse_url(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()

    declared = new_url()
    engine = make_engine(parse_url(declared)).execution_options(writes=True)
    Base.metadata.create_all(engine)
    engine.dispose()
    by_tables, by_migrations = described(declared), described(url)
    # The statements' text differs in the order of clauses, which Alembic writes its own way.
    by_tables.pop("sqlite_master", None)
    by_migrations.pop("sqlite_master", None)
    assert by_migrations == by_tables


def test_up_down_up_gives_the_same_schema(url: str) -> None:
    migrations.upgrade(url)
    first = described(url)
    assert migrations.current(url) == NEWEST

    migrations.downgrade(url, "base")
    assert migrations.current(url) is None
    assert [name for name in described(url) if name != "sqlite_master"] == []

    migrations.upgrade(url)
    second = described(url)
    # A rebuilt table's statement may name its constraints in another order.
    for description in (first, second):
        statements = description.get("sqlite_master", [])
        description["sqlite_master"] = [
            (kind, name, sorted(re.split(r"\W*\n\W*", sql or ""))) for kind, name, sql in statements
        ]
    assert second == first


@pytest.mark.slow
def test_paths_become_relative_wherever_the_data_directory_was(url: str) -> None:
    before = "20261128_name_keys"
    migrations.upgrade(url)
    migrations.downgrade(url, before)
    add_corpus(url)
    add_model(url)
    places = {
        "/old/var/guilds/1/models/0a": "guilds/1/models/0a",
        "var/guilds/1/models/0a": "guilds/1/models/0a",
        "/elsewhere/guilds/2/models/0a": "/elsewhere/guilds/2/models/0a",
        "/elsewhere/bundle": "/elsewhere/bundle",
    }
    engine = make_engine(parse_url(url)).execution_options(writes=True)
    for path, after in places.items():
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE text_model SET bundle_path = :path"), {"path": path})
            connection.execute(sa.text("UPDATE corpus SET path = '/old/var/guilds/1/corpora/ab.txt'"))
        migrations.upgrade(url)
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT bundle_path FROM text_model")).scalar() == after
            assert (
                connection.execute(sa.text("SELECT path FROM corpus")).scalar() == "guilds/1/corpora/ab.txt"
            )
        migrations.downgrade(url, before)
    engine.dispose()


def test_a_failing_migration_changes_nothing_and_leaves_a_backup(url: str, history: Path) -> None:
    migrations.upgrade(url)
    add_corpus(url)
    before = described(url)
    add_revision(
        history,
        'op.create_table("half", sa.Column("id", sa.Integer()))',
        'op.add_column("corpus", sa.Column("half", sa.Integer()))',
        "op.execute(\"UPDATE corpus SET filename = 'lost'\")",
        'op.execute("SELECT no_such_column FROM corpus")',
    )

    with pytest.raises(DatabaseError, match=r"the database is as it was: .*no_such_column") as caught:
        migrations.upgrade(url, folder=history)

    assert "\n" not in str(caught.value)
    assert described(url) == before
    assert migrations.current(url) == NEWEST
    database = Database(url)
    with database.read() as session:
        assert session.scalar(sa.text("SELECT filename FROM corpus")) == "kept.txt"
    database.dispose()


def test_a_revision_that_breaks_a_reference_is_refused(tmp_path: Path, history: Path) -> None:
    url = f"sqlite:///{tmp_path}/pastiche.sqlite"
    migrations.upgrade(url)
    add_corpus(url)
    add_model(url)
    add_revision(history, 'op.execute("UPDATE text_model SET corpus_id = 99")')
    with pytest.raises(DatabaseError, match="row 1 of text_model refers to a missing row of corpus"):
        migrations.upgrade(url, folder=history)
    assert migrations.current(url) == NEWEST


def test_a_table_with_rows_that_refer_to_it_can_be_rebuilt(url: str, history: Path) -> None:
    migrations.upgrade(url)
    add_corpus(url)
    add_model(url)
    add_revision(
        history,
        'with op.batch_alter_table("corpus", recreate="auto") as batch:',
        '    batch.alter_column("lines", type_=sa.BigInteger())',
    )
    migrations.upgrade(url, folder=history)
    database = Database(url)
    with database.read() as session:
        assert session.scalar(sa.text("SELECT corpus_id FROM text_model")) == 1
    database.dispose()


def test_before_a_change_the_file_is_copied(tmp_path: Path, history: Path) -> None:
    file = tmp_path / "pastiche.sqlite"
    url = f"sqlite:///{file}"
    assert migrations.upgrade(url) is None, "an empty database has nothing to lose"
    assert migrations.upgrade(url) is None, "nothing to do"
    add_corpus(url)
    file.chmod(0o600)
    add_revision(history, "op.execute(\"UPDATE corpus SET filename = 'new'\")")

    backup = migrations.upgrade(url, folder=history)

    assert backup == tmp_path / f"pastiche.sqlite.backup-{NEWEST}"
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(DRIVER.connect(f"file:{backup}?mode=ro", uri=True)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT filename FROM corpus").fetchone() == ("kept.txt",)
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (NEWEST,)
    assert sorted(path.name for path in tmp_path.glob("pastiche*")) == ["pastiche.sqlite", backup.name]


def test_without_a_backup_nothing_is_migrated(tmp_path: Path, history: Path) -> None:
    url = f"sqlite:///{tmp_path}/pastiche.sqlite"
    migrations.upgrade(url)
    add_revision(history, 'op.drop_table("training_job")')
    (tmp_path / f"pastiche.sqlite.backup-{NEWEST}" / "in the way").mkdir(parents=True)
    with pytest.raises(DatabaseError, match=r"not migrated, as the backup .* cannot be written"):
        migrations.upgrade(url, folder=history)
    assert migrations.current(url) == NEWEST
    assert not list(tmp_path.glob("*.part"))


def test_a_database_of_a_newer_version_is_left_alone(url: str, history: Path) -> None:
    add_revision(history, 'op.create_table("tomorrow", sa.Column("id", sa.Integer()))')
    migrations.upgrade(url, folder=history)
    with pytest.raises(DatabaseError, match=r"29991231_next, which .* does not know") as caught:
        migrations.upgrade(url)
    assert "\n" not in str(caught.value)
    assert "tomorrow" in described(url)


def test_an_unknown_target_is_named(url: str) -> None:
    migrations.upgrade(url)
    with pytest.raises(DatabaseError, match=f"no revision yesterday; there are .*{NEWEST}"):
        migrations.downgrade(url, "yesterday")


@pytest.mark.slow
def test_processes_starting_at_once_all_succeed(url: str, children: list[subprocess.Popen[str]]) -> None:
    program = "import sys, migrations; print('ready', flush=True); input(); migrations.upgrade(sys.argv[1])"
    children.extend(
        subprocess.Popen(
            [sys.executable, "-c", program, url],
            cwd=FOLDER.parent,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(5)
    )
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("now\n")
        child.stdin.flush()
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert (errors, child.returncode) == ("", 0)
    assert migrations.current(url) == NEWEST


def test_a_draft_holds_what_the_tables_have_and_the_history_has_not(tmp_path: Path, history: Path) -> None:
    for revision in (history / "versions").glob("2*.py"):
        revision.unlink()
    path = draft("all of it", folder=history)
    url = f"sqlite:///{tmp_path}/drafted.sqlite"
    migrations.upgrade(url, folder=history)
    official = f"sqlite:///{tmp_path}/official.sqlite"
    migrations.upgrade(official)
    assert path.name.endswith("_all_of_it.py")
    assert "UtcDateTime" not in path.read_text()
    assert [name for name in described(url) if name != "sqlite_master"] == [
        name for name in described(official) if name != "sqlite_master"
    ]


def test_names_that_looked_alike_before_are_told_apart_and_found(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'names.sqlite'}"
    migrations.upgrade(url)
    migrations.downgrade(url, "20261126_turns_and_samples")
    names = ("❤\ufe0f poems", "❤ poems", "Bard")
    for number, name in enumerate(names, start=1):
        kind = {"name": name, "name_key": name.casefold(), "bundle_path": "p", "level": "char"}
        figures = {"parameters": 1, "vocabulary": 1, "characters": 1, "created_by": 1, "cell": "lstm"}
        times = {"created_at": MOMENT, "updated_at": MOMENT, "generations": 0, "imported": False}
        insert(url, "text_model", id=number, guild_id=1, **kind, **figures, **times)
    migrations.upgrade(url)
    database = Database(url)
    with database.read() as session:
        found = [text_models.by_name(session, 1, name) for name in ("❤ poems", "❤\ufe0f poems 2", "bard")]
    assert [model and model.id for model in found] == [2, 1, 3]
    database.dispose()
