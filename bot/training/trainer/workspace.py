"""A training's folder: prepares what the trainer reads, and deletes what it leaves."""

import json
import shutil
from pathlib import Path

from bot.infra.file_locks import is_held
from bot.infra.paths import Layout
from bot.infra.storage import keys
from bot.infra.storage.storage import Storage
from bot.training.trainer.process import TrainingOrder, checkpoint_of, lock_of
from models import JobState, TrainingJob
from textgen.files.atomic import sync_folder, write_bytes
from textgen.files.bundle_files import PICTURE

INPUT, VALIDATION = "input.txt", "validate.txt"
STATE = "state.safetensors"
STARTS = "starts.json"
OWN_VERSION = "stored-checkpoint"
"""In an attempt's folder: which version of the checkpoint this host stored or fetched last."""


def fetch_base(storage: Storage, guild_id: int, job_id: str) -> Path | None:
    """Put the copy of the job's base bundle into its folder; return None if it has no base.

    Raises:
        StorageError: it could not be read.
        OSError: the disk is full.
    """
    folder = storage.layout.training(guild_id, job_id) / keys.BASE
    try:
        storage.fetch_folder(keys.base_key(guild_id, job_id), folder)
    except FileNotFoundError:
        return None
    return folder


def lay_out(storage: Storage, order: TrainingOrder, corpus: str, validation: str | None) -> None:
    """Put the texts into the trainer's folder, under the names that it reads.

    Args:
        storage: has the texts.
        order: knows the folder.
        corpus: key of the text to learn from.
        validation: key of the text to measure the loss on; None: none.

    Raises:
        FileNotFoundError: a text was deleted.
        StorageError: a text could not be read.
        OSError: the disk is full.
    """
    order.directory.mkdir(parents=True, exist_ok=True)
    order.bundle.parent.mkdir(parents=True, exist_ok=True)
    if validation is not None:
        storage.fetch_file(validation, order.directory / VALIDATION)
    storage.fetch_file(corpus, order.directory / INPUT)


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
    return lock.exists() and not is_held(lock)


def picture(storage: Storage, job: TrainingJob) -> bytes | None:
    """Return the newest picture of the job's losses; None if there is none.

    Raises:
        StorageError: it could not be read.
    """
    places = [
        keys.checkpoint_key(job.guild_id, job.id, job.attempt),
        keys.bundle_key(job.guild_id, job.id),
    ]
    if job.state is JobState.DONE:
        places.reverse()
    found = (storage.read(f"{place}/{PICTURE}") for place in places)
    return next((each for each in found if each is not None), None)


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


def clear_training(storage: Storage, guild_id: int, job_id: str) -> None:
    """Delete what only the training needed."""
    for key in (keys.job_key(guild_id, job_id), keys.checkpoint_key(guild_id, job_id, 0)):
        storage.discard(key)


def clear(storage: Storage, guild_id: int, job_id: str) -> None:
    """Delete everything of a job that has ended without a model."""
    lock_of(storage.layout.bundle(guild_id, job_id)).unlink(missing_ok=True)  # a killed trainer leaves it
    for key in keys.of_job(guild_id, job_id):
        storage.discard(key)


def clear_attempt(storage: Storage, guild_id: int, job_id: str, attempt: int) -> None:
    """Delete what an attempt wrote; what other attempts wrote stays."""
    shutil.rmtree(storage.layout.attempt(guild_id, job_id, attempt), ignore_errors=True)
    if storage.is_remote:
        storage.discard(keys.checkpoint_key(guild_id, job_id, attempt))
