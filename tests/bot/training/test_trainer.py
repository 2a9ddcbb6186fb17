"""The trainer process as the bot watches it: one that hangs is ended, one without memory begins again."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from bot.infra.children.process import Child, start_child
from bot.training.trainer import process, watchdog, workspace
from bot.training.trainer.process import TrainingEnd, TrainingOrder, checkpoint_of, lock_of, run_trainer
from bot.training.trainer.watchdog import Watchdog
from tests.support import needs
from textgen.training.checkpoints.checkpoint_file import NAME

FINISHED = {"event": "finished", "bundle": "x"}
TELLS = "import json, sys, time, os, signal\ntell = lambda **event: print(json.dumps(event), flush=True)\n"


class Scripts:
    """In the place of the trainer: each start runs the next script."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.order = TrainingOrder(folder / "job", folder / "models" / "job", 60)
        self.order.directory.mkdir()
        self.arguments: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self.children: list[Child] = []
        self.events: list[dict[str, Any]] = []
        self.scripts: list[str] = []
        monkeypatch.setattr(process, "start_child", self._start)

    def run(self, *scripts: str) -> TrainingEnd:
        self.scripts = list(scripts)
        return run_trainer(self.order, on_event=self.events.append, should_stop=lambda: None)

    def _start(self, arguments: list[str], *, environment: dict[str, str]) -> Child:
        self.arguments.append(arguments)
        self.environments.append(environment)
        self.children.append(start_child(["-c", TELLS + self.scripts.pop(0)], environment=environment))
        return self.children[-1]


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripts:
    return Scripts(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "script",
    [
        "os.kill(os.getpid(), signal.SIGSTOP)",
        "tell(event='started', resumed=False); os.kill(os.getpid(), signal.SIGSTOP)",
        "tell(event='progress', fraction=0.1); time.sleep(600)",
        "os.close(1); time.sleep(600)",
    ],
    ids=["stopped at its start", "stopped as it begins", "stands still", "says nothing"],
)
@needs.process_states
def test_a_trainer_that_stands_still_is_ended(scripts: Scripts, script: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watchdog, "SILENT_S", 1.0)
    monkeypatch.setattr(process, "GRACE_S", 0.5)
    end = scripts.run(script)
    assert end.finished is None
    assert end.error is not None
    assert not end.short_of_memory
    assert scripts.children[0].process.returncode in (-signal.SIGKILL, -signal.SIGTERM)
    assert len(scripts.children) == 1


def test_a_trainer_that_outlives_its_time_is_ended(scripts: Scripts, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watchdog, "GRACE_S", -59.0)
    end = scripts.run("while True: tell(event='progress', fraction=0.1); time.sleep(0.1)")
    assert end.error is not None
    assert "did not end within its time" in end.error
    assert scripts.children[0].process.returncode == -signal.SIGKILL


def test_whoever_is_silent_and_busy_is_left_to_its_time_limit():
    now, used = [0.0], [0.0]
    dog = Watchdog(1, 100, clock=lambda: now[0], used=lambda pid: used[0])
    for _ in range(15):
        now[0] += 10
        used[0] += 1
        assert dog.complaint() is None
    now[0] += 11
    assert "within its time" in str(dog.complaint())

    blind = Watchdog(1, 100, clock=lambda: now[0], used=lambda pid: None)
    now[0] += 159
    assert blind.complaint() is None


@pytest.mark.parametrize(
    "script",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "tell(event='failed', error='the memory is too small', reason='memory'); sys.exit(1)",
        "raise MemoryError",
        "print('std::bad_alloc', file=sys.stderr); os.abort()",
    ],
    ids=["by the kernel", "by itself", "by Python", "by its libraries"],
)
def test_a_trainer_without_memory_begins_once_more_with_half_the_batch(scripts: Scripts, script: str):
    state = checkpoint_of(scripts.order.bundle) / NAME
    state.parent.mkdir(parents=True)
    state.touch()
    end = scripts.run(script, f"tell(**{FINISHED})")
    assert end.finished == FINISHED
    assert [("--half-batch" in arguments) for arguments in scripts.arguments] == [False, True]
    assert not state.exists(), "a state of whole batches is of no use to half ones"
    assert {"event": "half_batch"} in scripts.events

    # Whoever takes the job up later goes on with half batches, and there is no third try.
    end = scripts.run(script)
    assert "memory is too small" in str(end.error)
    assert "--" not in str(end.error)
    assert "--half-batch" in scripts.arguments[-1]
    assert len(scripts.children) == 3


@pytest.mark.parametrize(
    "script", ["sys.exit('error: no text')", "os.abort()", "tell(event='failed', error='no')"]
)
def test_other_ends_are_no_want_of_memory(scripts: Scripts, script: str):
    assert scripts.run(script).error
    assert len(scripts.children) == 1


def test_nothing_of_a_trainer_lies_outside_the_data_directory(scripts: Scripts):
    scripts.run("tell(event='failed', error='no')")
    (environment,) = scripts.environments
    for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR"):
        assert Path(environment[name]).is_relative_to(scripts.order.directory)
        assert Path(environment[name]).is_dir()
    assert "--no-cache" in scripts.arguments[0]


def killed_at_work(order: TrainingOrder) -> None:
    """What a trainer leaves that was killed: its lock."""
    lock_of(order.bundle).parent.mkdir(exist_ok=True)
    lock_of(order.bundle).touch()


def test_starts_count_until_a_training_comes_further(scripts: Scripts):
    order = scripts.order
    assert workspace.count_start(order) == 1
    for count in (2, 3, 4):
        killed_at_work(order)
        assert workspace.count_start(order) == count
    state = checkpoint_of(order.bundle) / NAME
    state.parent.mkdir()
    state.touch()
    assert workspace.count_start(order) == 1
    killed_at_work(order)
    assert workspace.count_start(order) == 2
    lock_of(order.bundle).unlink()  # it ended in order
    assert workspace.count_start(order) == 1
    (order.directory / workspace.STARTS).write_text(json.dumps([]))
    assert workspace.count_start(order) == 1


def test_a_start_beside_a_living_trainer_is_not_one_after_a_death(scripts: Scripts):
    workspace.count_start(scripts.order)
    killed_at_work(scripts.order)
    lock = str(lock_of(scripts.order.bundle))
    holds = f"import fcntl; f = open({lock!r}); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); input()"
    holder = start_child(["-c", holds], environment={"PATH": os.environ["PATH"]})
    assert holder.stdout.readline()
    assert workspace.count_start(scripts.order) == 1
    holder.kill()
    holder.process.wait()
    assert workspace.count_start(scripts.order) == 2
