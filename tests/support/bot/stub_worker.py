"""`pastiche` whose trainer only counts: `python -m tests.support.bot.stub_worker SECONDS BUNDLE COMMAND …`.

The trainer is a process of its own, as the real one: it ends when its parent closes its standard input. It
counts seconds into its checkpoint, and goes on from there. With "asked" in the place of SECONDS a training
takes as long as its job says.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.infra.children.process import child_environment, start_child
from bot.training.jobs import workflows
from bot.training.trainer import safekeeping
from bot.training.trainer.process import Stop, TrainingEnd, TrainingOrder, checkpoint_of
from bot.training.trainer.workspace import STATE

STEP_S = 0.1
TRAINER = f"""
import pathlib, sys, threading, time, os
state, until = pathlib.Path(sys.argv[1]), float(sys.argv[2])
state.parent.mkdir(parents=True, exist_ok=True)
done = float(state.read_text()) if state.exists() else 0.0
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print(done, flush=True)
while done < until:
    time.sleep({STEP_S})
    done += {STEP_S}
    new = state.with_suffix(".new")
    new.write_text(str(done))
    new.replace(state)
    print(done, flush=True)
"""


def run_stub(asked_s: float | None, bundle: Path) -> Callable[..., TrainingEnd]:
    """Return what stands in for the trainer: it takes so many seconds and gives a ready bundle.

    None: as long as the job says.
    """

    def run(
        order: TrainingOrder,
        *,
        on_event: Callable[[dict[str, Any]], None],
        should_stop: Callable[[], Stop | None],
    ) -> TrainingEnd:
        state = checkpoint_of(order.bundle) / STATE
        seconds = order.time_limit_s if asked_s is None else asked_s
        child = start_child(["-c", TRAINER, str(state), str(seconds)], environment=child_environment())
        first = float(child.stdout.readline())
        on_event({"event": "started", "resumed": first > 0})
        try:
            while line := child.stdout.readline():
                done = float(line)
                on_event(
                    {"event": "progress", "fraction": min(1.0, done / seconds), "loss": 2.0, "eta_s": 1.0}
                )
                stop = should_stop()
                if stop in (Stop.CANCEL, Stop.LOST, Stop.SHUTDOWN):
                    return TrainingEnd(stopped=stop)
        finally:
            child.close_input()
            child.wait_or_kill(5)
        shutil.copytree(bundle, order.bundle)
        return TrainingEnd(finished={"event": "finished"})

    return run


def wait_stub(seconds: float, bundle: Path) -> Callable[..., TrainingEnd]:
    """Return what stands in for the trainer where only the queue is measured: it starts no process."""

    def run(
        order: TrainingOrder,
        *,
        on_event: Callable[[dict[str, Any]], None],
        should_stop: Callable[[], Stop | None],
    ) -> TrainingEnd:
        del on_event, should_stop
        time.sleep(seconds)
        shutil.copytree(bundle, order.bundle)
        return TrainingEnd(finished={"event": "finished"})

    return run


if __name__ == "__main__":
    chosen_s = None if sys.argv[1] == "asked" else float(sys.argv[1])
    # A checkpoint of some bytes is stored at once, so that no test has to wait for one.
    safekeeping.STORE_EVERY_S = 1.0
    waits = os.environ.get("STUB") == "waits"
    stub = wait_stub(chosen_s or 0.0, Path(sys.argv[2])) if waits else run_stub(chosen_s, Path(sys.argv[2]))
    workflows.run_trainer = stub
    from bot.cli import main

    main(sys.argv[3:])
