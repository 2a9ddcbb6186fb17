"""`textgen.train`: everything around the loop, from checking the input to the lock on the output."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textgen import bundle
from textgen.corpus.reading.encoding import check_policy
from textgen.corpus.reading.sources import ReadingOptions, Source, find
from textgen.errors import BundleError, OutOfMemoryError, SettingsError, TextgenError, TrainingError
from textgen.files.output_folder import Output
from textgen.settings.training import TrainingSettings
from textgen.training import backend, memory
from textgen.training.base import settings_of
from textgen.training.checkpoints.lock import exclusive
from textgen.training.data.preparation import choose_cache, prepare
from textgen.training.data.reading_time import ReadingTime
from textgen.training.reporting.events import Control, EventSink
from textgen.training.result import Result
from textgen.training.start import first_look
from textgen.values import as_path, check_flag, check_number, plain, shown

_LOADING_S = 4.0
"""What loading Keras and building a network takes at least."""


def _ignore(event: dict[str, Any]) -> None:
    """Receive an event that nobody asked for."""


@contextmanager
def _lack_of_memory() -> Iterator[None]:
    """Say in a typed error what NumPy and each backend say in one of their own."""
    try:
        yield
    except Exception as error:
        if isinstance(error, TextgenError) or not backend.is_out_of_memory(error):
            raise
        raise OutOfMemoryError(
            "the memory is too small for this training",
            advice=["lower --batch-size", "--seq-length", "--rnn-size"],
        ) from None


@_lack_of_memory()
def train(
    corpus: Source,
    *,
    column: str | None = None,
    encoding: str | None = None,
    encoding_errors: str = "strict",
    output: str | Path | None = None,
    on_event: EventSink = _ignore,
    resume: bool = False,
    base: str | Path | None = None,
    half_batch: bool = False,
    live_sample: bool = False,
    curve: bool = False,
    lock_timeout: float = 0.0,
    cache: bool = True,
    cache_dir: str | Path | None = None,
    control: Control | None = None,
    started: float | None = None,
    **flags: Any,
) -> bundle.Manifest:
    """Train a model on a corpus and write its bundle.

    Args:
        corpus: a folder with ``input.txt`` and perhaps ``validate.txt``, another folder of texts, a file, or
            a list of files (.txt, .md, .csv, .jsonl).
        column: the column of CSV files, or the key of JSON lines, that holds the text.
        encoding: the files' encoding, if it is neither UTF-8 nor announced by a byte-order mark.
        encoding_errors: "replace" puts U+FFFD for bytes that the encoding does not allow.
        output: the bundle's folder; by default ``model`` beside the text.
        on_event: receives the events of `textgen.training.reporting.events`.
        resume: go on from an interrupted training's checkpoint if there is one.
        base: a bundle to go on from: its network and weights are kept, its vocabulary is kept and, at
            character level, extended.
        half_batch: train half as many texts side by side as the settings say, where the memory is too small.
        live_sample: emit samples at four temperatures after each epoch.
        curve: draw the losses while it trains, beside the checkpoint, and in the end as ``loss.png`` in the
            bundle's folder.
        lock_timeout: seconds to wait for another training of the same bundle.
        cache: whether the tokens of a large corpus (from 16 MiB on) are kept for the next training.
        cache_dir: where, and also those of a small one; by default in the user's cache folder.
        control: lets another thread end the training.
        started: `time.monotonic` from which a time limit counts; by default now.
        **flags: the command's flags as keywords (`TrainingSettings`); None stands for the preset's value.

    Returns:
        What the bundle says of itself.

    Raises:
        BundleError: the base cannot be read.
        CorpusError: the corpus cannot be read or is too short.
        OutOfMemoryError: the memory of the machine, or of its GPU, is too small.
        SettingsError: a flag lies outside its bounds.
        TrainingError: the training diverged, its time was over before the text had been read, the output is
            in use or holds what is not ours, or the disk refuses.
        TrainingInterruptedError: it was cancelled; the checkpoint is kept.
    """
    started = time.monotonic() if started is None else started
    if not callable(on_event):
        raise SettingsError(f"on_event is {shown(on_event)}; it must be a function that takes an event")
    switches = {"resume": resume, "live_sample": live_sample, "curve": curve, "cache": cache}
    for name, value in {**switches, "half_batch": half_batch}.items():
        check_flag(name, value)
    check_number("lock_timeout", plain(lock_timeout), 0.0, 31 * 86_400.0)
    going_on = None if base is None else bundle.read(as_path(base, "base", BundleError))
    settings = settings_of(going_on, flags) if going_on else TrainingSettings.from_flags(**flags)
    if half_batch:
        settings = dataclasses.replace(settings, batch_size=max(1, settings.batch_size // 2))
    options = ReadingOptions(column, encoding, check_policy(encoding_errors))
    sources = find(corpus)
    if settings.time_limit is None or settings.time_limit > _LOADING_S:
        backend.check()
    wishes = control or Control()
    chosen = sources.home / "model" if output is None else as_path(output, "output", TrainingError)
    destination = Output.of(chosen)
    kept_in = None if cache_dir is None else as_path(cache_dir, "cache_dir", SettingsError)
    # Before anything is read: what would be refused in the end is refused now.
    destination.check()
    with destination.parent(), exclusive(destination.lock, lock_timeout):
        destination.check()
        destination.sweep()
        target = destination.place
        prepared = prepare(
            sources,
            settings,
            options=options,
            cache=choose_cache(sources, kept_in) if cache else None,
            base=going_on.tokenizer if going_on else None,
            scratch=target.absolute().parent,
            time=ReadingTime(settings.time_limit, wishes),
        )
        if going_on and going_on.known and prepared.known:
            prepared = dataclasses.replace(prepared, known=prepared.known.joined(going_on.known))
        memory.check(settings, prepared.tokenizer.size, len(prepared.training), memory.available())
        spec = settings.network(prepared.tokenizer.size)
        start = first_look(prepared, spec, going_on, started)
        left = (settings.time_limit or math.inf) - (time.monotonic() - started)
        if left < _LOADING_S and start.weights and not resume:
            return Result(prepared, settings, start, "cpu", on_event).without_network(target, started)
        backend.load()
        # Keras is imported only now, when nothing but the training itself can fail any more.
        from textgen.training.loop.trainer import Trainer

        with backend.standard_numbers():
            trainer = Trainer(
                prepared,
                settings,
                target,
                on_event,
                wishes,
                started=started,
                live_sample=live_sample,
                start=start,
                curve=curve,
                base=going_on.weights if going_on else None,
            )
            return trainer.run(resume=resume)
