"""`pastiche worker` whose trainer only counts: `python -m tests.support.bot.stub_worker SECONDS BUNDLE`.

The trainer is a process of its own, as the real one: it ends when its parent closes its standard input. It
counts seconds into its checkpoint, and goes on from there.
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
from bot.training.trainer.process import Stop, TrainingEnd, TrainingOrder, checkpoint_of

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


def run_stub(seconds: float, bundle: Path) -> Callable[..., TrainingEnd]:
    """Return what stands in for the trainer: it takes so many seconds and gives a ready bundle."""

    def run(
        order: TrainingOrder,
        *,
        on_event: Callable[[dict[str, Any]], None],
        should_stop: Callable[[], Stop | None],
    ) -> TrainingEnd:
        state = checkpoint_of(order.bundle) / "state.txt"
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
    stub = wait_stub if os.environ.get("STUB") == "waits" else run_stub
    workflows.run_trainer = stub(float(sys.argv[1]), Path(sys.argv[2]))
    from bot.cli import main

    main(["worker", *sys.argv[3:]])
