"""`textgen train`: a corpus in, a bundle out."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from pathlib import Path
from typing import Any

import click

from textgen.bundle import Manifest
from textgen.cli import INTERRUPTED, STARTED
from textgen.cli.common.reading import quiet_option, reading_options
from textgen.cli.common.streams import OutputError
from textgen.cli.watching import interrupts
from textgen.cli.watching.progress import Display
from textgen.errors import OutOfMemoryError, SettingsError, TextgenError, TrainingInterruptedError
from textgen.files.atomic import is_disk_full
from textgen.files.output_folder import Output
from textgen.levels import DEFAULT_LEVEL, LEVELS, WORD
from textgen.network.cells.registry import CELLS
from textgen.settings.presets import DEFAULT_PRESET, PRESETS
from textgen.settings.training import OPTIMIZERS, SCHEDULES
from textgen.training.checkpoints import lock
from textgen.training.reporting.events import Control, Event, EventSink, FailedEvent, json_lines
from textgen.training.reporting.tensorboard import scalars
from textgen.training.run import train


@click.command("train")
@click.argument("texts", nargs=-1, type=click.Path(path_type=Path), metavar="[TEXT]...")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder with input.txt (and validate.txt), or with other .txt, .md, .csv and .jsonl files.",
)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A text to train on, the same as TEXT. Can be repeated.",
)
@reading_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The bundle's folder.  [default: model in the first folder, or beside the first file]",
)
@click.option(
    "--preset",
    type=click.Choice(PRESETS),
    help=f"A set of defaults for all other flags.  [default: {DEFAULT_PRESET}]",
)
@click.option(
    "--level", type=click.Choice(list(LEVELS)), help=f"What a token is.  [default: {DEFAULT_LEVEL}]"
)
@click.option("--word-tokens", is_flag=True, help="The same as --level word.")
@click.option("--cell", type=click.Choice(list(CELLS)), help="Kind of the recurrent layers.")
@click.option(
    "--pristine-input", is_flag=True, default=None, help="Keep upper case. Words: split only at white space."
)
@click.option(
    "--pristine-output", is_flag=True, default=None, help="Words: write a space between any two tokens."
)
@click.option("--embedding-size", type=int, help="Size of a token's vector.")
@click.option("--rnn-size", type=int, help="Size of each recurrent layer.")
@click.option("--num-layers", type=int, help="Number of recurrent layers.")
@click.option("--dropout", type=float, help="Share of the outputs of a layer that are zeroed in training.")
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), help="The optimizer.")
@click.option("--learning-rate", type=float, help="Learning rate of the optimizer.")
@click.option("--schedule", type=click.Choice(SCHEDULES), help="How the learning rate changes over time.")
@click.option("--batch-size", type=int, help="Number of windows in a batch.")
@click.option("--half-batch", is_flag=True, help="Halve the batch size, if memory is too small.")
@click.option("--seq-length", type=int, help="Tokens of a window: the length of truncated back-propagation.")
@click.option("--seq-step", type=int, help="Distance in tokens between the starts of two windows.")
@click.option("--num-epochs", type=int, help="Number of epochs.")
@click.option("--time-limit", type=float, help="Seconds from the start of the process to the saved bundle.")
@click.option("--patience", type=int, help="Early stopping: stop after N validations without a better loss.")
@click.option(
    "--validation-split", type=float, help="Share of the text to hold out if there is no validate.txt."
)
@click.option("--vocab-size", "vocabulary_size", type=int, help="Maximum number of tokens in the vocabulary.")
@click.option("--random-seed", type=int, help="Seed of the initial weights and of dropout.")
@click.option("--no-seeds", is_flag=True, help="Store no line starts of the corpus in the bundle.")
@click.option("--resume", is_flag=True, help="Continue an interrupted training.")
@click.option(
    "--base",
    type=click.Path(path_type=Path),
    help="Fine-tune this: a bundle's folder, or the name of a pretrained base (`textgen base list`).",
)
@click.option("--tensorboard", type=click.Path(path_type=Path), help="Write progress for TensorBoard here.")
@click.option("--checkpoint-seconds", "checkpoint_s", type=float, help="Seconds between checkpoints.")
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    help="Folder for prepared corpora.  [default: the user's cache folder, for corpora from 16 MiB]",
)
@click.option("--no-cache", is_flag=True, help="Do not store the prepared corpus.")
@click.option("--live-sample", is_flag=True, help="Show samples at four temperatures after each epoch.")
@click.option(
    "--curve",
    is_flag=True,
    help="Draw the loss curve during training; at the end it is loss.png in the bundle.",
)
@click.option(
    "--events", is_flag=True, help="Write events as JSON lines to standard output, and nothing else."
)
@click.option(
    "--control", is_flag=True, help="Read `finish` or `cancel` from standard input; its end cancels."
)
@click.option(
    "--control-timeout",
    type=click.FloatRange(min=1),
    help="Seconds without a line on standard input after which --control cancels.",
)
@click.option(
    "--lock-timeout",
    type=float,
    default=0.0,
    help="Seconds to wait while another training writes this bundle.",
)
@quiet_option
def command(
    texts: tuple[Path, ...],
    data_dir: Path | None,
    inputs: tuple[Path, ...],
    output: Path | None,
    *,
    level: str | None,
    word_tokens: bool,
    no_cache: bool,
    tensorboard: Path | None,
    live_sample: bool,
    events: bool,
    control: bool,
    control_timeout: float | None,
    **flags: Any,
) -> None:
    """Train a model on TEXTs, files and folders in any mix, and write a bundle.

    The last line names the bundle and its validation loss. Ctrl-C keeps a checkpoint for --resume.
    """
    if word_tokens and level not in (None, WORD.name):
        raise click.UsageError(f"--word-tokens means --level word; it contradicts --level {level}")
    given = [*texts, *inputs]
    if (data_dir is None) == (not given):
        raise click.UsageError("give the texts to train on: TEXT, a file or folder, or --data-dir")
    source = data_dir or given
    first = data_dir or given[0]
    bundle = output or (first if first.is_dir() else first.parent) / "model"
    if tensorboard and Output.of(bundle).holds(tensorboard):
        raise SettingsError(
            f"--tensorboard {tensorboard} lies in what the training replaces, and would go with it; "
            "name another folder"
        )
    boards = [scalars(tensorboard)] if tensorboard else []
    stop_control = Control()
    stop_control.interactive = not control
    interrupts.listen(stop_control)
    if control:
        stop_control.listen(sys.stdin, control_timeout)

    def run(on_event: EventSink) -> Manifest:
        def tell(event: Event) -> None:
            for sink in (on_event, *boards):
                sink(event)

        return train(
            source,
            output=bundle,
            cache=not no_cache,
            on_event=tell,
            live_sample=live_sample,
            control=stop_control,
            started=STARTED,
            level=WORD.name if word_tokens else level,
            **flags,
        )

    stop_control.give_up = functools.partial(_give_up, events=events)
    try:
        if events:
            emit = _ignoring_broken_output(json_lines(sys.stdout))
            try:
                run(emit)
            except TrainingInterruptedError:
                raise
            except (TextgenError, OSError) as error:
                said = error.plain if isinstance(error, TextgenError) else str(error.strerror or error)
                emit(_failed(said, error))
                raise
            return
        with Display(show_samples=live_sample) as display:
            stop_control.on_read = display.read
            manifest = run(display.show)
    except KeyboardInterrupt:
        raise TrainingInterruptedError("stopped before the first step") from None
    told = (
        f"{bundle}: validation loss {manifest.validation_loss:.4f} nats, {manifest.bits_per_token:.4f} bits, "
        f"perplexity {manifest.perplexity:.2f} per token"
    )
    try:
        click.echo(told)
    except OutputError as error:
        # The training is complete and the bundle is saved, so this is no error.
        click.echo(f"note: {error}\n{told}", err=True)


def _failed(said: str, error: TextgenError | OSError) -> FailedEvent:
    """Return the event of an error, with a reason that programs can use."""
    event: FailedEvent = {"event": "failed", "error": said}
    if isinstance(error, OutOfMemoryError):
        event["reason"] = "memory"
    elif is_disk_full(error):
        event["reason"] = "disk"
    return event


def _ignoring_broken_output(emit: EventSink) -> EventSink:
    """Return a sink that ignores a broken standard output: the training goes on, for its model."""

    def send(event: Event) -> None:
        try:
            emit(event)
        except OutputError as error:
            # From now on, the stream drops its input.
            if not error.reader_left:
                click.echo(f"note: {error}; the training goes on", err=True)

    return send


def _give_up(error: TextgenError, *, events: bool) -> None:
    """End the process at once, because the thread that reads the corpus cannot be interrupted."""
    interrupted = isinstance(error, TrainingInterruptedError)
    lock.abandon()
    with contextlib.suppress(OutputError):
        if events and not interrupted:
            json_lines(sys.stdout)({"event": "failed", "error": error.plain})
        click.echo(f"{'interrupted' if interrupted else 'error'}: {error}", err=True)
    os._exit(INTERRUPTED if interrupted else 1)
