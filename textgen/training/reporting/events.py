"""The progress events of a training: small JSON objects, each with the key ``event``.

Numbers that are not finite are None in JSON. ``started`` comes a second time if a training diverged and
starts again with a lower learning rate.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from typing import IO, Any, Literal, NotRequired, TypedDict

from textgen.errors import TextgenError

_TICK_S = 1.0


class StartedEvent(TypedDict):
    """The training begins.

    Attributes:
        device: where it runs, for example "cpu" or "gpu (NVIDIA H100)".
        resumed: whether it continues from a checkpoint.
        characters: length of the training text.
        vocabulary: number of tokens.
        parameters: number of trained parameters.
        notes: what a user should know about the corpus and the training.
        damage: a damaged checkpoint was replaced by the one before it ("previous") or by none ("anew").
        lacking: the package that is not installed and without which the model is the counts alone.

    Example:
        >>> started = []
        >>> result = textgen.train("plays", output="model", time_limit=3, on_event=started.append)
        >>> started[0]["event"], started[0]["resumed"]
        ('started', False)
    """

    event: Literal["started"]
    device: str
    resumed: bool
    characters: int
    vocabulary: int
    parameters: int
    notes: list[str]
    damage: NotRequired[str]
    lacking: NotRequired[str]


class ProgressEvent(TypedDict):
    """The training has taken steps; comes about once a second.

    Attributes:
        fraction: share of the training that is done, 0 to 1.
        loss: mean training loss since the last such event, in nats per token.
        eta_s: estimated seconds until the end; None while too few steps are done.
        step: number of steps that are done.
        elapsed_s: seconds since the training began.
        tokens_per_s: tokens of the text that were trained on since the last such event, in each second.

    Example:
        >>> def show(event: textgen.Event) -> None:
        ...     if event["event"] == "progress":
        ...         print(f"{event['fraction']:.0%}: {event['loss']:.3f} nats")
        >>> result = textgen.train("plays", output="model", time_limit=3, on_event=show)
    """

    event: Literal["progress"]
    fraction: float
    loss: float
    eta_s: float | None
    step: int
    elapsed_s: float
    tokens_per_s: float


class SampleEvent(TypedDict):
    """A text by the model as it is now.

    Attributes:
        text: the text with its prompt.
        temperature: the temperature of the sample.
        fraction: share of the training that is done, 0 to 1.

    Example:
        >>> events = []
        >>> result = textgen.train("plays", output="model", time_limit=3, on_event=events.append)
        >>> [event["temperature"] for event in events if event["event"] == "sample"]
        [0.7]
    """

    event: Literal["sample"]
    text: str
    temperature: float
    fraction: float


class CheckpointEvent(TypedDict):
    """The model was validated.

    Attributes:
        step: number of steps that are done.
        seconds: seconds since the training began.
        validation_loss: nats per token on the validation text.
        training_loss: mean of the steps since the last validation, in nats per token.
        picture: path of a picture of the losses, if one was drawn.

    Example:
        >>> events = []
        >>> result = textgen.train("plays", output="model", time_limit=3, on_event=events.append)
        >>> [event["step"] for event in events if event["event"] == "checkpoint"]
        [0]
    """

    event: Literal["checkpoint"]
    step: int
    seconds: float
    validation_loss: float
    training_loss: NotRequired[float]
    picture: NotRequired[str]


class FinishedEvent(TypedDict):
    """The bundle is written.

    Attributes:
        bundle: path of the bundle's folder.
        validation_loss: nats per token on the validation text.
        bits_per_token: the same in bits.
        perplexity: the exponential of the validation loss.
        stopped: why the training ended ("epochs", "time limit", "patience", …).
        steps: number of steps that were done.
        picture: path of a picture of the losses, if one was drawn.
        device_mb: largest memory that was used on a GPU, in MB; None on a CPU.

    Example:
        >>> events = []
        >>> result = textgen.train("plays", output="model", time_limit=3, on_event=events.append)
        >>> events[-1]["bundle"]
        'model'
    """

    event: Literal["finished"]
    bundle: str
    validation_loss: float
    bits_per_token: float
    perplexity: float
    stopped: str
    steps: int
    picture: NotRequired[str]
    device_mb: NotRequired[float | None]


class FailedEvent(TypedDict):
    """The training failed. Only ``textgen train --events`` emits it; `textgen.train` raises the error.

    Attributes:
        error: the error's message.
        reason: "memory" or "disk" if that was too small.

    Example:
        >>> event: textgen.FailedEvent = {"event": "failed", "error": "the disk is full", "reason": "disk"}
    """

    event: Literal["failed"]
    error: str
    reason: NotRequired[Literal["memory", "disk"]]


Event = StartedEvent | ProgressEvent | SampleEvent | CheckpointEvent | FinishedEvent | FailedEvent
EventSink = Callable[[Event], None]


def json_lines(target: IO[str]) -> EventSink:
    """Return a sink that writes each event as a line of JSON in ASCII, for streams of any encoding."""

    def write(event: Event) -> None:
        target.write(json.dumps(finite(event), allow_nan=False) + "\n")
        target.flush()

    return write


def finite(data: Any) -> Any:
    """Return JSON data with None in place of NaN and infinity, which JSON does not have."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {name: finite(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return data


class Control:
    """Lets another thread end a training: finish it early, or cancel it.

    Attributes:
        give_up: called with an error, from another thread, if the training cannot end by itself; it must end
            the process. None if that is not allowed.
        on_read: called with the number of bytes that were read of the corpus, after each megabyte; a corpus
            is read twice. None if nobody wants to know.
        interactive: whether a person may interrupt at any time. Then a checkpoint is written before the first
            step too.
        under_way: whether a step is done. From then on a cancelled training must write a checkpoint.
        finish_requested: whether `finish` was called.
        cancelled: whether `cancel` was called.

    Example:
        >>> control = textgen.Control()
        >>> control.finish()
        >>> result = textgen.train("plays", output="model", time_limit=3, control=control)
    """

    def __init__(self) -> None:
        """Start without a request."""
        self.give_up: Callable[[TextgenError], None] | None = None
        self.on_read: Callable[[int], None] | None = None
        self.interactive = False
        self.under_way = self.finish_requested = self.cancelled = False

    def finish(self) -> None:
        """Request the end of the training; the best model so far is the result."""
        self.finish_requested = True

    def cancel(self) -> None:
        """Request the end of the training; its checkpoint is kept."""
        self.cancelled = True

    def listen(self, source: IO[str], patience_s: float | None = None) -> None:
        """Read commands from a stream in the background. The end of the stream cancels the training.

        Args:
            source: the commands ``finish`` and ``cancel``, one a line. Any other line only says that whoever
                writes is still there.
            patience_s: seconds without a line after which the training is cancelled, because whoever started
                it is frozen and may have been replaced; None to wait for ever.
        """
        heard = threading.Event()

        def read() -> None:
            for line in source:
                heard.set()
                if line.strip() == "finish":
                    self.finish()
                elif line.strip() == "cancel":
                    self.cancel()
            # A client that requested the early end may leave without cancelling it.
            if not self.finish_requested:
                self.cancel()

        def watch(patience_s: float) -> None:
            silent_s, before_s = 0.0, time.monotonic()
            while silent_s < patience_s:
                time.sleep(_TICK_S)
                now_s = time.monotonic()
                # A longer pause was this process's own, such as that of a compilation: lines may wait unread.
                silent_s = 0.0 if heard.is_set() or now_s - before_s > 3 * _TICK_S else silent_s + _TICK_S
                heard.clear()
                before_s = now_s
            self.cancel()

        threading.Thread(target=read, name="control", daemon=True).start()
        if patience_s is not None:
            threading.Thread(target=watch, args=(patience_s,), name="patience", daemon=True).start()
