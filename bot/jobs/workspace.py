"""A training's folder: what the trainer reads, what it leaves, and that nothing of it stays. Files only."""

import os
import shutil
from pathlib import Path

from bot.jobs.trainer import TrainingOrder, checkpoint_of, lock_of
from bot.layout import Layout

BASE = "base"
INPUT, VALIDATION = "input.txt", "validate.txt"
PICTURE = "loss.png"


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


def picture_of(layout: Layout, guild_id: int, job_id: str) -> Path:
    """Where the newest picture of the job's losses is, if there is one."""
    bundle = layout.bundle(guild_id, job_id)
    return (bundle if bundle.is_dir() else checkpoint_of(bundle)) / PICTURE


def clear_training(layout: Layout, guild_id: int, job_id: str) -> None:
    """Remove what only the training needed."""
    shutil.rmtree(layout.training(guild_id, job_id), ignore_errors=True)


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
