"""An attempt of a training goes on from what earlier attempts left. Files only.

Each attempt has a folder of its own, so a process that lost a training cannot damage the files of its
successor, and its successor waits for nothing but the end of its trainer.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from bot.infra.file_locks import is_held
from bot.infra.paths import Layout
from bot.infra.storage.folder import link_or_copy
from bot.training.trainer.process import HALF_BATCH, checkpoint_of, lock_of
from bot.training.trainer.workspace import OWN_VERSION, STARTS

# A trainer that loses its parent saves a checkpoint and ends.
ENDS_WITHIN_S = 20.0
LOOK_EVERY_S = 0.25


def hand_over(
    layout: Layout, guild_id: int, job_id: str, attempt: int, *, wait: Callable[[float], None]
) -> None:
    """Give an attempt what the latest attempt before it left: a checkpoint, or the finished bundle.

    Args:
        layout: knows the paths.
        guild_id: Discord id of the guild that owns the job.
        job_id: id of the job.
        attempt: number of the attempt that goes on.
        wait: waits so many seconds; it raises an exception if the process is shutting down.

    Raises:
        OSError: the disk is full, or a file cannot be read.
    """
    target = layout.trained(guild_id, job_id, attempt)
    if checkpoint_of(target).exists() or target.exists():
        return
    for before in range(attempt - 1, -1, -1):
        source = layout.trained(guild_id, job_id, before)
        _await_end(lock_of(source), wait)
        kept = [path for path in (checkpoint_of(source), source) if path.is_dir()]
        if kept or (source.parent / STARTS).is_file():
            _take_over(source, target, kept)
            return


def _take_over(source: Path, target: Path, kept: list[Path]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # A lock that is still there says that the trainer was killed, which counts.
    for name in (STARTS, OWN_VERSION, HALF_BATCH, lock_of(target).name):
        if (source.parent / name).is_file():
            shutil.copyfile(source.parent / name, target.parent / name)
    for folder in kept:
        new = target.with_name(folder.name.replace(source.name, target.name, 1))
        partial = new.with_name(f".{new.name}.new")
        shutil.rmtree(partial, ignore_errors=True)
        # Links suffice: a trainer replaces its files and never writes into them.
        shutil.copytree(folder, partial, copy_function=lambda old, new: link_or_copy(Path(old), Path(new)))
        partial.replace(new)


def _await_end(lock: Path, wait: Callable[[float], None]) -> None:
    """Wait until no trainer holds the lock, for as long as a trainer without a parent may take."""
    deadline = time.monotonic() + ENDS_WITHIN_S
    while is_held(lock) and time.monotonic() < deadline:
        wait(LOOK_EVERY_S)
