"""A training's folder: prepares what the trainer reads, and deletes what it leaves. Files only."""

import fcntl
import json
import os
import shutil
from pathlib import Path

from bot.infra.paths import Layout
from bot.training.trainer.process import TrainingOrder, checkpoint_of, lock_of
from textgen.files.atomic import sync_folder, write_bytes
from textgen.files.bundle_files import PICTURE

BASE = "base"
INPUT, VALIDATION = "input.txt", "validate.txt"
STATE = "state.safetensors"
STARTS = "starts.json"


def keep_base(layout: Layout, guild_id: int, job_id: str, bundle: Path) -> None:
    """Copy the base bundle of a job, because it may be replaced or deleted while the job is queued.

    Raises:
        OSError: the bundle does not exist, or the disk is full; nothing is left behind.
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
    """Return the copy of the job's base bundle; None if it has no base."""
    folder = layout.training(guild_id, job_id) / BASE
    return folder if folder.is_dir() else None


def lay_out(order: TrainingOrder, corpus: Path, validation: Path | None) -> None:
    """Put the texts into the trainer's folder, under the names that it reads.

    Raises:
        OSError: a text was deleted, or the disk is full.
    """
    order.directory.mkdir(parents=True, exist_ok=True)
    order.bundle.parent.mkdir(parents=True, exist_ok=True)
    if validation is not None:
        _link_or_copy(validation, order.directory / VALIDATION)
    _link_or_copy(corpus, order.directory / INPUT)


def count_start(order: TrainingOrder) -> int:
    """Count a start of a training, and return the number of starts since its last progress.

    A start counts if the trainer before it was killed without a new checkpoint. A trainer that is told to
    end, or that notices the end of the bot, removes its lock.
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
    """Whether a killed trainer left its lock."""
    try:
        with lock.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # there is no lock, or a running trainer holds it
        return False
    return True


def picture_of(layout: Layout, guild_id: int, job_id: str, attempt: int) -> Path:
    """Return the path of the newest picture of the job's losses, which may not exist."""
    bundle = layout.bundle(guild_id, job_id)
    trained = checkpoint_of(layout.trained(guild_id, job_id, attempt))
    return (bundle if bundle.is_dir() else trained) / PICTURE


def put_in_place(layout: Layout, guild_id: int, job_id: str, attempt: int) -> Path:
    """Move the bundle of an attempt to where models are, and return its path there.

    The caller holds the lock of the job's row and has found that this is its latest attempt. If a transaction
    is rolled back and repeated, the bundle is there already.

    Raises:
        OSError: the bundle cannot be moved.
    """
    bundle, trained = layout.bundle(guild_id, job_id), layout.trained(guild_id, job_id, attempt)
    if trained != bundle and trained.is_dir():
        shutil.rmtree(bundle, ignore_errors=True)  # of an earlier attempt that was never published
        bundle.parent.mkdir(parents=True, exist_ok=True)
        trained.replace(bundle)
        sync_folder(bundle.parent)
    return bundle


def clear_training(layout: Layout, guild_id: int, job_id: str) -> None:
    """Delete what only the training needed."""
    for folder in (layout.training(guild_id, job_id), checkpoint_of(layout.bundle(guild_id, job_id))):
        shutil.rmtree(folder, ignore_errors=True)


def clear(layout: Layout, guild_id: int, job_id: str) -> None:
    """Delete everything of a job that has ended without a model."""
    bundle = layout.bundle(guild_id, job_id)
    for folder in (bundle, checkpoint_of(bundle)):
        shutil.rmtree(folder, ignore_errors=True)
    lock_of(bundle).unlink(missing_ok=True)  # a killed trainer leaves it
    clear_training(layout, guild_id, job_id)


def clear_attempt(layout: Layout, guild_id: int, job_id: str, attempt: int) -> None:
    """Delete what an attempt wrote; what other attempts wrote stays."""
    shutil.rmtree(layout.attempt(guild_id, job_id, attempt), ignore_errors=True)


def _link_or_copy(source: Path, target: Path) -> None:
    """Link a file to another name, or copy it if links do not work."""
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        partial = target.with_suffix(".partial")
        shutil.copyfile(source, partial)
        partial.replace(target)
