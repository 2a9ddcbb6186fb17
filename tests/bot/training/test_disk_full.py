"""What a full disk or a database that is away keeps from being recorded is recorded when it is back."""

import errno
import logging
import threading
import time

import pytest
from dbos import _sys_db
from sqlalchemy import exc

from bot import i18n
from bot.infra import durability
from bot.infra.storage.opening import open_storage
from bot.settings import Settings
from bot.training.jobs import context as jobs_context
from bot.training.jobs.context import JobContext, JobInterrupted, recorded
from bot.training.jobs.progress import Reporter
from bot.views.error_messages import line_for
from models import Database, DatabaseError
from textgen.errors import TextgenError
from textgen.files.atomic import is_disk_full

FULL = "sqlite:///x: (sqlite3.OperationalError) database or disk is full"


@pytest.fixture
def context(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    monkeypatch.setattr(jobs_context, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(jobs_context, "LONGEST_WAIT_S", 0.02)
    settings.prepare_data_dir()
    return JobContext(settings, Database(settings.database_url), open_storage(settings))


def test_a_step_waits_until_it_is_recorded(context: JobContext):
    refusals = iter([DatabaseError(FULL, disk_full=True)] * 5)

    def record() -> str:
        for refusal in refusals:
            raise refusal
        return "recorded"

    assert recorded(context, record) == "recorded"


def test_a_step_that_waits_leaves_when_the_process_ends(context: JobContext):
    def record() -> None:
        raise DatabaseError(FULL, disk_full=True)

    threading.Timer(0.05, context.stopping.set).start()
    begun = time.monotonic()
    with pytest.raises(JobInterrupted):
        recorded(context, record)
    assert time.monotonic() - begun < 30


def test_a_mistake_of_ours_is_not_waited_for(context: JobContext):
    def record() -> None:
        raise KeyError("column")

    with pytest.raises(KeyError):
        recorded(context, record)


class _Job:
    guild_id, id, attempt, curve, samples, notes = 1, "j", 1, "[]", "[]", ""


def test_the_last_news_of_a_training_are_kept_until_they_are_reported(monkeypatch: pytest.MonkeyPatch):
    reported = []
    full = True

    def write(news: dict[str, object]) -> None:
        if full:
            raise DatabaseError(FULL, disk_full=True)
        reported.append(news)

    reporter = Reporter(None, _Job(), lambda: False)  # type: ignore[arg-type]  # neither is touched
    monkeypatch.setattr(reporter, "_write", write)
    reporter.take({"event": "progress", "fraction": 1.0, "loss": 1.5, "eta_s": 0.0})
    reporter.take({"event": "sample", "fraction": 1.0, "text": "To be"})
    assert reporter.should_stop() is None, "a report that fails stops no training"
    with pytest.raises(DatabaseError):
        reporter.end()
    full = False
    reporter.end()
    assert reported[0]["loss"] == 1.5
    assert reported[0]["sample"] == "To be"


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("database or disk is full", True),
        ("disk I/O error", True),
        ("database is locked", True),
        ("UNIQUE constraint failed: workflow_status.workflow_uuid", False),
    ],
)
def test_dbos_waits_for_room_as_for_a_lock(said: str, waits: bool):
    durability.wait_for_room()
    error = exc.OperationalError("INSERT", {}, Exception(said))
    tries = iter([error, error])

    @_sys_db.db_retry(initial_backoff=0.001)
    def write() -> str:
        for failure in tries:
            raise failure
        return "written"

    if waits:
        assert write() == "written"
    else:
        with pytest.raises(exc.OperationalError):
            write()


def test_dbos_says_in_one_line_that_a_database_is_away(caplog: pytest.LogCaptureFixture):
    durability.wait_for_room()
    logger = logging.getLogger("dbos")
    logger.addHandler(caplog.handler)
    try:
        logger.warning(
            "Polling failed: Traceback (most recent call last):\n  File x\nOperationalError: away\nmore"
        )
    finally:
        logger.removeHandler(caplog.handler)
    assert set(caplog.messages) == {"Polling failed: OperationalError: away"}


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/srv/secret/corpus.txt"),
        OSError(errno.EDQUOT, "Disk quota exceeded", "/srv/secret/corpus.txt"),
        DatabaseError("sqlite:////srv/secret/x.sqlite: database or disk is full", disk_full=True),
        DatabaseError("sqlite:////srv/secret/x.sqlite: database is locked"),
    ],
    ids=str,
)
def test_people_read_that_the_disk_is_full_and_no_path(error: Exception, locale: str):
    token = i18n.locale.set(locale)
    try:
        line = line_for(error)
    finally:
        i18n.locale.reset(token)
    assert line is not None
    assert "/" not in line
    assert ("disk" in line or "database" in line) is (locale == "en")
    assert ("Festplatte" in line or "Datenbank" in line) is (locale == "de")


def test_other_errors_of_files_stay_unexpected():
    assert line_for(OSError(errno.EACCES, "Permission denied")) is None


def test_a_full_disk_is_found_below_an_error_that_names_the_file():
    told = TextgenError("the bundle cannot be written")
    assert not is_disk_full(told)
    told.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert is_disk_full(told)
