"""`textgen.train`: checks the input, locks the output, prepares the corpus and runs the training loop."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Unpack

from textgen import bundle
from textgen.argument_checks import as_path, check_flag, check_number, plain, shown
from textgen.corpus.reading.encoding import check_policy
from textgen.corpus.reading.sources import ReadingOptions, Source, find
from textgen.errors import BundleError, OutOfMemoryError, SettingsError, TextgenError, TrainingError
from textgen.files.output_folder import Output
from textgen.host import extras
from textgen.settings.training import TrainingKeywords
from textgen.training import backend
from textgen.training.approach import choose
from textgen.training.checkpoints import checkpoint_file
from textgen.training.checkpoints.lock import exclusive
from textgen.training.data.preparation import choose_cache, prepare
from textgen.training.data.reading_time import ReadingTime
from textgen.training.reporting.events import Control, Event, EventSink
from textgen.training.result import Result


def _ignore(event: Event) -> None:
    """Ignore an event."""


@contextmanager
def _lack_of_memory() -> Iterator[None]:
    """Raise the out-of-memory errors of NumPy and the backends as `OutOfMemoryError`."""
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
    **flags: Unpack[TrainingKeywords],
) -> bundle.Manifest:
    """Train a model on a corpus and write its bundle.

    Args:
        corpus: path of a folder with ``input.txt`` and optionally ``validate.txt``, of another folder of
            texts, or of a file; or a list of files (.txt, .md, .csv, .jsonl).
        column: the column of CSV files, or the key of JSON lines, that holds the text; None if there is only
            one.
        encoding: the files' encoding; None for UTF-8 or the one of a byte-order mark.
        encoding_errors: "strict", or "replace" to read bytes that the encoding does not allow as U+FFFD.
        output: the bundle's folder; None for ``model`` beside the text.
        on_event: is called with each event (`textgen.Event`).
        resume: whether to resume an interrupted training from its checkpoint, if there is one.
        base: what to fine-tune, or None for a new model. The folder of a bundle: its network and weights are
            kept; its vocabulary is kept and, at character level, extended. Or the name of a pretrained base
            of this host (``textgen base list``).
        half_batch: whether to halve the settings' batch size, because the memory is too small.
        live_sample: whether to emit samples at four temperatures after each epoch.
        curve: whether to draw the losses: beside the checkpoint during the training, and as ``loss.png`` in
            the bundle's folder at the end.
        lock_timeout: seconds to wait for another training of the same bundle.
        cache: whether to keep the tokens of a large corpus (16 MiB or more) for the next training.
        cache_dir: folder for the tokens, then of small corpora too; None for the user's cache folder.
        control: lets another thread end the training.
        started: `time.monotonic` from which a time limit counts; None for now.
        **flags: the fields of `TrainingSettings`, also by the names of the command's flags; None stands for
            the preset's value.

    Returns:
        The bundle's manifest: figures, settings and history of the training.

    Raises:
        BundleError: the base cannot be read.
        CorpusError: the corpus cannot be read or is too short.
        MissingPackageError: an optional package that the settings need is not installed. Without Keras, the
            model is the counts alone, unless the settings use no counts.
        OutOfMemoryError: the memory of the machine or of its GPU is too small.
        SettingsError: a keyword is unknown, or its value outside its bounds.
        TrainingError: the training diverged, its time limit was over before the text had been read, the
            output is in use or holds files that are not a bundle's, or the disk refuses.
        TrainingInterruptedError: the training was cancelled; the checkpoint is kept.

    Example:
        >>> result = textgen.train("plays", output="model", time_limit=3)
        >>> result.level, result.characters > 1_000
        ('char', True)
    """
    started = time.monotonic() if started is None else started
    if not callable(on_event):
        raise SettingsError(f"on_event is {shown(on_event)}; it must be a function that takes an event")
    switches = {"resume": resume, "live_sample": live_sample, "curve": curve, "cache": cache}
    for name, value in {**switches, "half_batch": half_batch}.items():
        check_flag(name, value)
    check_number("lock_timeout", plain(lock_timeout), 0.0, 31 * 86_400.0)
    approach = choose(None if base is None else as_path(base, "base", BundleError), flags)
    settings = approach.settings
    if half_batch:
        settings = dataclasses.replace(settings, batch_size=max(1, settings.batch_size // 2))
        approach = dataclasses.replace(approach, settings=settings)
    options = ReadingOptions(column, encoding, check_policy(encoding_errors))
    sources = find(corpus)
    lacking = None
    if settings.time_limit is None or settings.time_limit > approach.loading_s:
        if curve:
            extras.require("matplotlib", "a picture of the loss")
        lacking = backend.missing()
        if approach.pretrained is None and not settings.prior:
            backend.require()
    control = control or Control()
    chosen = sources.home / "model" if output is None else as_path(output, "output", TrainingError)
    destination = Output.of(chosen)
    kept_in = None if cache_dir is None else as_path(cache_dir, "cache_dir", SettingsError)
    # Checked before the corpus is read, so that an unusable output costs no time.
    destination.check()
    with destination.parent(), exclusive(destination.lock, lock_timeout):
        destination.check()
        destination.sweep()
        target = destination.place
        prepared = prepare(
            sources,
            settings,
            options=options,
            # The cache keeps a tokenizer with its tokens, and a base's is too large for that.
            cache=choose_cache(sources, kept_in) if cache and approach.pretrained is None else None,
            base=approach.tokenizer,
            scratch=target.absolute().parent,
            time=ReadingTime(settings.time_limit, control),
        )
        if approach.before and approach.before.known and prepared.known:
            prepared = dataclasses.replace(prepared, known=prepared.known.joined(approach.before.known))
        spec, start = approach.first_look(prepared, started, network=lacking is None)
        # Experts that do not help on the corpus are left out.
        settings = dataclasses.replace(settings, experts=start.names)
        left = (settings.time_limit or math.inf) - (time.monotonic() - started)
        resumed = resume and checkpoint_file.is_there(checkpoint_file.path_for(target))
        if (left < approach.loading_s or lacking) and start.weights and not resumed:
            notes = [checkpoint_file.NONE_THERE] if resume else []
            result = Result(prepared, settings, start, spec, "cpu", on_event, approach.pretrained)
            if lacking:
                notes.append(backend.COUNTS_ALONE)
            return result.without_network(target, started, notes, lacking)
        backend.load()
        # Keras takes seconds to import, so it is imported after everything that can fail quickly.
        from textgen.training.loop.trainer import Trainer

        with backend.standard_numbers():
            result = Result(prepared, settings, start, spec, backend.device(), on_event, approach.pretrained)
            trainer = Trainer(
                result,
                approach.plan(result),
                target,
                control,
                started=started,
                live_sample=live_sample,
                curve=curve,
            )
            return trainer.run(resume=resume)
