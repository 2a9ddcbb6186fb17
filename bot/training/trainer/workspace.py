"""A training's folder: what the trainer reads, what it leaves, and that nothing of it stays. Files only."""

import fcntl
import json
import os
import shutil
from pathlib import Path

from bot.infra.paths import Layout
from bot.training.trainer.process import TrainingOrder, checkpoint_of, lock_of
from textgen.files.atomic import write_bytes
from textgen.files.bundle_files import PICTURE

BASE = "base"
INPUT, VALIDATION = "input.txt", "validate.txt"
STATE = "state.safetensors"
STARTS = "starts.json"


def keep_base(layout: Layout, guild_id: int, job_id: str, bundle: Path) -> None:
    """Keep a bundle for a job that goes on from it: it may be replaced or deleted while the job waits.

    Raises:
        OSError: it is not there, or the disk is full; nothing is left behind.
    """
    folder = layout.training(guild_id, job_id) / BASE
    folder.mkdir(parents=True)
    try:
        for file in bundle.iterdir():
            if file.is_file():
                _link_or_copy(file, folder / file.name)
    except OSError:
        shutil.rmtree(layout.training(guild_id, job_id), ignore_errors=True)
        raise


def base_of(layout: Layout, guild_id: int, job_id: str) -> Path | None:
    """The bundle that was kept for the job; None where it begins anew."""
    folder = layout.training(guild_id, job_id) / BASE
    return folder if folder.is_dir() else None


def lay_out(order: TrainingOrder, corpus: Path, validation: Path | None) -> None:
    """Put the texts where the trainer reads them, under its names.

    Raises:
        OSError: a text is gone, or the disk is full.
    """
    order.directory.mkdir(parents=True, exist_ok=True)
    order.bundle.parent.mkdir(parents=True, exist_ok=True)
    if validation is not None:
        _link_or_copy(validation, order.directory / VALIDATION)
    _link_or_copy(corpus, order.directory / INPUT)


def count_start(order: TrainingOrder) -> int:
    """Count a start of a training, and return how many there were since it last came further.

    A start counts where the trainer before it was killed, and left nothing that it could go on from: one
    that is told to end, or that notices the end of the bot, takes its lock away.
    """
    starts = order.directory / STARTS
    state = checkpoint_of(order.bundle) / STATE
    saved = state.stat().st_mtime_ns if state.exists() else 0
    try:
        before = json.loads(starts.read_bytes())
        count = before["starts"] + 1 if before["saved"] == saved and _is_stale(lock_of(order.bundle)) else 1
    except (OSError, ValueError, KeyError, TypeError):
        count = 1
    write_bytes(starts, json.dumps({"starts": count, "saved": saved}).encode(), durable=False)
    return count


def _is_stale(lock: Path) -> bool:
    """Whether a trainer left its lock without being able to take it away."""
    try:
        with lock.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # there is none, or its holder lives
        return False
    return True


def picture_of(layout: Layout, guild_id: int, job_id: str) -> Path:
    """Where the newest picture of the job's losses is, if there is one."""
    bundle = layout.bundle(guild_id, job_id)
    return (bundle if bundle.is_dir() else checkpoint_of(bundle)) / PICTURE


def clear_training(layout: Layout, guild_id: int, job_id: str) -> None:
    """Remove what only the training needed."""
    for folder in (layout.training(guild_id, job_id), checkpoint_of(layout.bundle(guild_id, job_id))):
        shutil.rmtree(folder, ignore_errors=True)


def clear(layout: Layout, guild_id: int, job_id: str) -> None:
    """Remove all that a job which made no model leaves behind."""
    bundle = layout.bundle(guild_id, job_id)
    for folder in (bundle, checkpoint_of(bundle)):
        shutil.rmtree(folder, ignore_errors=True)
    lock_of(bundle).unlink(missing_ok=True)  # a trainer that was killed leaves it
    clear_training(layout, guild_id, job_id)


def _link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, without a second copy where links work."""
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        partial = target.with_suffix(".partial")
        shutil.copyfile(source, partial)
        partial.replace(target)
