"""Validations of a training: the loss on the validation text, by the model as it will be served."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from textgen.evaluation import mean_loss
from textgen.levels import LEVELS
from textgen.model import TextModel
from textgen.settings.training import TrainingSettings
from textgen.tokenizers import Tokens
from textgen.training.checkpoints.progress import Progress
from textgen.training.loop.clock import Clock
from textgen.training.reporting.curve import Curve
from textgen.training.result import FINAL_TOKENS, Result

_WORK = 10_000_000_000


class Validation:
    """Measures and reports validation losses.

    Args:
        tokens: the validation text, shape (tokens,).
        result: makes models of weights, and emits events.
        clock: is told how long a validation takes.
        settings: of the training.
        checkpoint: file of the checkpoint; pictures are written beside it.
        curve: whether to draw the losses.
    """

    def __init__(
        self,
        tokens: Tokens,
        result: Result,
        clock: Clock,
        settings: TrainingSettings,
        checkpoint: Path,
        *,
        curve: bool,
    ) -> None:
        """Choose how much of the text a validation reads."""
        self._text, self._result, self._clock = tokens, result, clock
        self._folder = checkpoint.parent
        parameters = settings.network(result.corpus.tokenizer.size).parameters
        # A validation takes about as long for every size of network.
        self._tokens = max(2_000, min(50_000, _WORK // parameters))
        clock.final_validation = 1 + min(len(tokens), FINAL_TOKENS) / self._tokens
        self._curve = Curve(LEVELS[settings.level].token, settings.time_limit) if curve else None

    def run(
        self,
        weights: dict[str, npt.NDArray[Any]],
        progress: Progress,
        training_losses: Sequence[float],
        fraction: float,
    ) -> bool:
        """Measure the loss of weights, note it in ``progress``, and emit it with a sample.

        Args:
            weights: of the network.
            progress: of the training.
            training_losses: of the steps since the last validation, in nats per token.
            fraction: share of the training that is done, 0 to 1.

        Returns:
            Whether the loss is the lowest so far.
        """
        begun = time.monotonic()
        model = TextModel(self._result.as_bundle(weights, progress))
        loss = mean_loss(model, self._text, limit=self._tokens)
        mean = sum(training_losses) / len(training_losses) if training_losses else None
        best = progress.validated(loss, self._clock.elapsed_s, mean)
        measured = time.monotonic()
        picture = self.picture(progress, self._folder)
        begun += time.monotonic() - measured  # the picture limits its own share of the time
        self._result.tell_checkpoint(model, progress, fraction, **picture)
        self._clock.validation_took(time.monotonic() - begun)
        return best

    def measure_whole(self, best: dict[str, npt.NDArray[Any]], progress: Progress) -> None:
        """Set the best loss to that on the whole validation text, of which `run` reads only a part.

        Args:
            best: the weights with the lowest loss.
            progress: of the training.
        """
        if len(self._text) > self._tokens or progress.best_step == 0:
            model = TextModel(self._result.as_bundle(best, progress))
            progress.best_loss = mean_loss(model, self._text, limit=FINAL_TOKENS)

    def picture(self, progress: Progress, folder: Path, *, at_once: bool = False) -> dict[str, str]:
        """Draw the losses into a folder, if that is wanted and due.

        Args:
            progress: holds the losses.
            folder: where the picture is written.
            at_once: whether to draw even if it is not due.

        Returns:
            The picture's path under the event's key "picture", or nothing.
        """
        if self._curve is None:
            return {}
        picture = self._curve.draw(progress.history, folder, at_once=at_once)
        return {} if picture is None else {"picture": str(picture)}
