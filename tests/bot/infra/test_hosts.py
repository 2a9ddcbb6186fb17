"""Who is dead: signs of life that stand still, seen on the observer's own clock; names; locks."""

import datetime
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import migrations
from bot.infra.file_locks import is_held
from bot.infra.hosts.name_lock import NameLock
from bot.infra.hosts.sign_of_life import BOT, WORKER, SignOfLife, own_name
from bot.infra.hosts.watch import DEAD_AFTER_S, EVERY_S, Watch
from bot.infra.upgrading import upgraded
from bot.settings import Settings, SettingsError
from models import Database, hosts
from tests.support.postgresql import PostgresServer, postgresql_server

__all__ = ["postgresql_server"]

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def looks(watch: Watch, signs: list[dict[str, object]], *, at: float = 0.0, every: float = EVERY_S) -> None:
    for number, sign in enumerate(signs):
        watch.look(sign, at + every * number)


class TestWatch:
    def test_who_stands_still_for_long_enough_is_dead_and_the_others_live(self):
        watch = Watch()
        looks(watch, [{"dead": NOON, "alive": number} for number in range(3)])
        assert not watch.is_dead("dead"), "for ten seconds only"
        looks(watch, [{"dead": NOON, "alive": 3}], at=DEAD_AFTER_S)
        assert watch.is_dead("dead")
        assert not watch.is_dead("alive")
        assert not watch.is_dead("never seen")

    def test_a_clock_that_is_an_hour_off_or_runs_backwards_is_a_sign_like_any_other(self):
        watch = Watch()
        looks(watch, [{"late": NOON - HOUR - n * HOUR, "early": NOON + HOUR + n * HOUR} for n in range(9)])
        assert not watch.is_dead("late")
        assert not watch.is_dead("early")

    def test_after_an_outage_everyone_gets_the_whole_time_again(self):
        watch = Watch()
        looks(watch, [{"a": 1}] * 3)
        watch.forget()
        looks(watch, [{"a": 1}], at=DEAD_AFTER_S)
        assert not watch.is_dead("a")
        looks(watch, [{"a": 1}] * 4, at=DEAD_AFTER_S)
        assert watch.is_dead("a")

    def test_an_observer_that_was_frozen_itself_judges_nobody_by_that_time(self):
        watch = Watch()
        looks(watch, [{"a": 1}, {"a": 1}])
        looks(watch, [{"a": 1}], at=600)
        assert not watch.is_dead("a")

    def test_who_comes_back_lives(self):
        watch = Watch()
        looks(watch, [{"a": 1}] * 5)
        assert watch.is_dead("a")
        watch.look({"a": 2}, 5 * EVERY_S)
        assert not watch.is_dead("a")


class TestNames:
    def test_a_lock_is_held_until_its_process_ends(self, tmp_path: Path):
        path = tmp_path / "worker-box.lock"
        assert not is_held(path)
        code = (
            "import sys; from pathlib import Path; from bot.infra.hosts.name_lock import NameLock\n"
            "lock = NameLock(Path(sys.argv[1])); lock.claim('a' * 32); print('held', flush=True); input()"
        )
        holder = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        assert holder.stdout.readline()
        assert is_held(path)
        with pytest.raises(SettingsError, match=f"process {holder.pid} already works on .* PASTICHE_NAME"):
            NameLock(path).claim("b" * 32)
        holder.kill()
        holder.wait()
        assert not is_held(path)
        lock = NameLock(path)
        lock.claim("b" * 32)
        assert lock.before == "a" * 32
        lock.release()

    @pytest.mark.parametrize(
        ("devices", "name"),
        [
            ("", "box"),
            ("-1", "box"),
            ("0", "box-gpu0"),
            ("2,3", "box-gpu2-3"),
            ("GPU-8f/1", "box-gpuGPU-8f-1"),
        ],
    )
    def test_workers_of_different_gpus_have_different_names(
        self, devices: str, name: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
        settings = Settings(_env_file=None, name="box")
        assert own_name(settings, WORKER) == name
        assert own_name(settings, BOT) == "box"

    def test_the_name_of_earlier_versions_is_still_read(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("PASTICHE_NAME", raising=False)
        assert Settings(_env_file=None).name == "local"
        monkeypatch.setenv("PASTICHE_EXECUTOR_ID", "cellar")
        assert Settings(_env_file=None).name == "cellar"
        monkeypatch.setenv("PASTICHE_NAME", "attic")
        assert Settings(_env_file=None).name == "attic"
        monkeypatch.delenv("PASTICHE_NAME")
        monkeypatch.delenv("PASTICHE_EXECUTOR_ID")
        monkeypatch.setenv("NAME", "what some shells set")
        assert Settings(_env_file=None).name == "local"
        assert Settings(_env_file=None, executor_id="cellar").name == "cellar"

    def test_with_postgresql_the_queue_and_the_name_need_no_setting(self):
        settings = Settings(_env_file=None, database_url="postgresql+psycopg://a@b/c")
        assert settings.jobs_database_url == settings.database_url
        assert settings.name not in ("", "local")


@pytest.fixture
def on_a_server(postgresql_server: PostgresServer, tmp_path: Path) -> Settings:
    settings = Settings(
        _env_file=None, data_dir=tmp_path / "a", database_url=postgresql_server.new_database(), name="box"
    )
    settings.prepare_data_dir()
    migrations.upgrade(settings.database_url)
    return settings


@pytest.fixture
def database(on_a_server: Settings) -> Iterator[Database]:
    database = Database(on_a_server.database_url)
    yield database
    database.dispose()


def test_a_later_process_supersedes_an_earlier_one_of_its_name(
    on_a_server: Settings, database: Database, tmp_path: Path
):
    elsewhere = on_a_server.model_copy(update={"data_dir": tmp_path / "b"})
    elsewhere.prepare_data_dir()
    reasons: list[Exception] = []
    first = SignOfLife(on_a_server, database, WORKER, superseded=reasons.append)
    second = SignOfLife(elsewhere, database, WORKER, superseded=reasons.append)
    other = SignOfLife(on_a_server, database, BOT, superseded=reasons.append)
    for each in (first, second, other):
        each.lock()
    assert not first.begin()
    assert second.begin(), "the first one may still be at work"
    assert not other.begin()
    deadline = time.monotonic() + 60
    while not reasons and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(reasons) == 1
    assert "has taken the name “box”" in str(reasons[0])
    assert (second.is_dead(first.executor), first.is_dead(second.executor)) == (True, False)
    assert not other.is_dead(second.executor)
    for each in (first, second, other):
        each.end()
    with database.read() as session:
        assert hosts.living(session) == []


@pytest.mark.slow
def test_tables_are_not_changed_under_a_process_of_another_version(
    on_a_server: Settings, database: Database, tmp_path: Path
):
    living = SignOfLife(on_a_server, database, BOT, superseded=print)
    living.lock()
    living.begin()
    with database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '20261129_pretrained'"))
    elsewhere = on_a_server.model_copy(update={"data_dir": tmp_path / "b"})
    elsewhere.prepare_data_dir()
    with pytest.raises(SettingsError, match=r"the bot “box” .* works with the present ones: end it first"):
        upgraded(elsewhere)
    living.end()
