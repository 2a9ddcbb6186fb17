"""Real processes that are watched: a worker, and the bot in a simulated Discord."""

import asyncio
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest
import structlog

import migrations
from bot import app
from bot.infra.paths import Layout
from bot.infra.storage.folder import FolderStorage
from bot.infra.threads import follower
from bot.infra.watching.metrics import Metrics, Result
from bot.settings import Settings, SettingsError
from bot.training.jobs import workflows
from bot.training.jobs.context import JobContext, bind
from bot.training.trainer.measured import measured
from bot.training.trainer.process import Stop, TrainingEnd
from models import Database
from tests.bot.infra.watching.test_pages import value
from tests.support.bot.processes import TOKEN, Pastiche, wait_for
from tests.support.bot.world import Place, World
from tests.support.rows import new_job


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def page(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def pastiche(*command: str, data_dir: Any, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path), "PASTICHE_DATA_DIR": str(data_dir)} | environment,
    )


@pytest.mark.slow
def test_a_worker_is_watched_and_checked(settings: Settings):
    settings.prepare_data_dir()
    port = free_port()
    address = {"PASTICHE_METRICS": f"127.0.0.1:{port}"}
    with Pastiche(settings.data_dir, "worker", **address) as worker:
        wait_for(lambda: "job worker started" in worker.log.read_text(), message=worker.log.read_text)
        assert page(port, "/healthz") == (200, '{"alive": true}')
        status, told = page(port, "/readyz")
        assert (status, json.loads(told)["parts"]) == (
            200,
            {"database": "ok", "queue": "ok", "storage": "ok"},
        )
        metrics = page(port, "/metrics")[1]
        assert 'pastiche_information{kind="worker"' in metrics
        assert value(metrics, 'pastiche_queue_jobs{state="queued"}') == 0

        wait_for(lambda: not pastiche("check", data_dir=settings.data_dir).returncode)
        done = pastiche("check", data_dir=settings.data_dir)
        assert f"the worker (process {worker.process.pid}) is well" in done.stdout
        assert "not ready" not in worker.log.read_text()

        # A second worker, whose address is taken.
        second = pastiche("worker", data_dir=settings.data_dir, PASTICHE_NAME="other", **address)
        assert second.returncode == 1
        assert second.stderr.splitlines()[-1] == (
            f"error: PASTICHE_METRICS is 127.0.0.1:{port}, where nothing can be served "
            "(address already in use): choose another address or port"
        )
        worker.kill()
    gone = pastiche("check", data_dir=settings.data_dir)
    assert gone.returncode == 1
    assert f"process {worker.process.pid} of the worker is gone" in gone.stderr


class TestBot:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"metrics": f"127.0.0.1:{free_port()}"})

    async def test_the_bot_is_watched_while_it_serves(self, world: World, stratford: Place) -> None:
        address = world.bot.settings.metrics_address
        assert address is not None
        async with app.watched(world.bot):
            await stratford.member.slash(stratford.channel, "generate", length=40)
            await stratford.member.slash(stratford.channel, "generate", model="none such")
            status, told = await asyncio.to_thread(page, address[1], "/readyz")
            assert (status, json.loads(told)["parts"]) == (
                200,
                dict.fromkeys(("gateway", "database", "queue", "storage"), "ok"),
            )
            metrics = (await asyncio.to_thread(page, address[1], "/metrics"))[1]
        assert value(metrics, "pastiche_guilds") == 1
        assert value(metrics, "pastiche_gateway_connected") == 1
        assert value(metrics, 'pastiche_sample_seconds_count{lane="quick"}') == 1
        assert value(metrics, "pastiche_sample_characters_total") == 40
        assert value(metrics, 'pastiche_sample_tokens_per_second{lane="quick"}') > 0
        assert value(metrics, 'pastiche_database_seconds_count{kind="read"}') > 0
        assert value(metrics, 'pastiche_failures_total{kind="unexpected"}') == 0
        for name in (stratford.guild.id, stratford.member.id, "Bard", "Stratford"):
            assert str(name) not in metrics


async def test_a_bot_that_is_not_connected_yet_is_alive_and_not_ready(settings: Settings):
    address = ("127.0.0.1", free_port())
    settings = settings.model_copy(update={"metrics": f"{address[0]}:{address[1]}"})
    settings.prepare_data_dir()
    async with app.create_bot(settings) as bot, app.watched(bot):
        assert (await asyncio.to_thread(page, address[1], "/healthz"))[0] == 200
        status, told = await asyncio.to_thread(page, address[1], "/readyz")
        assert status == 503
        assert json.loads(told)["parts"]["gateway"] == "not connected to Discord"
        metrics = (await asyncio.to_thread(page, address[1], "/metrics"))[1]
        assert value(metrics, "pastiche_gateway_connected") == 0
        assert value(metrics, "pastiche_database_up") == 0, "there are no tables yet"


def test_an_installation_that_cannot_train_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keras", None)  # as if it were not installed
    for start in (lambda: app.serve_until_told(settings, TOKEN), lambda: app.work_until_told(settings)):
        with pytest.raises(SettingsError, match=r"this installation cannot train.* PASTICHE_JOBS=elsewhere"):
            start()


@pytest.mark.parametrize(
    ("end", "result"),
    [
        (TrainingEnd(finished={}), Result.DONE),
        (TrainingEnd(error="no"), Result.FAILED),
        (TrainingEnd(stopped=Stop.CANCEL), Result.CANCELLED),
        (TrainingEnd(stopped=Stop.SHUTDOWN), Result.INTERRUPTED),
        (None, Result.FAILED),
    ],
)
def test_a_training_is_measured_by_how_it_ended(end: TrainingEnd | None, result: Result):
    metrics, seen = Metrics(), []
    with measured(metrics, seen.append) as training:
        training.take({"event": "progress", "tokens_per_s": 5000.0})
        assert value(metrics.text().decode(), "pastiche_training_tokens_per_second") == 5000
        training.end = end
    text = metrics.text().decode()
    assert seen == [{"event": "progress", "tokens_per_s": 5000.0}]
    assert value(text, "pastiche_training_tokens_per_second") == 0
    for each in Result:
        counted = value(text, f'pastiche_job_seconds_count{{result="{each.value}"}}')
        assert counted == (each is result)


def test_a_failed_job_is_counted_and_its_log_lines_name_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    settings.prepare_data_dir()
    migrations.upgrade(settings.database_url)
    context = JobContext(settings, Database(settings.database_url), FolderStorage(Layout(settings.data_dir)))
    (settings.data_dir / "hamlet.txt").write_text("To be")
    with context.database.write() as session:
        job = new_job(session, 7)
    bound = []

    def fail(*_args: Any, **_options: Any) -> TrainingEnd:
        bound.append(structlog.contextvars.get_contextvars())
        return TrainingEnd(error="no luck")

    monkeypatch.setattr(workflows, "run_trainer", fail)
    bind(context)
    try:
        assert workflows.train("turn") is None
    finally:
        bind(None)
    assert bound == [{"guild": 7, "job": job.id}]
    assert structlog.contextvars.get_contextvars() == {}
    metrics = context.metrics.text().decode()
    assert value(metrics, 'pastiche_failures_total{kind="training"}') == 1
    assert value(metrics, 'pastiche_job_seconds_count{result="failed"}') == 1


def test_a_thread_logs_what_its_maker_works_on():
    logged = []

    def work() -> None:
        logged.append(structlog.contextvars.get_contextvars())

    with structlog.contextvars.bound_contextvars(guild=1, job="j"):
        thread = follower("reader", work)
    thread.start()
    thread.join()
    assert logged == [{"guild": 1, "job": "j"}]
