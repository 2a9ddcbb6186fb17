"""Validations of a training: the loss on the validation text, by the model as it will be served."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from textgen.levels import LEVELS
from textgen.training.checkpoints.progress import Progress
from textgen.training.loop.clock import Clock
from textgen.training.plan import Judge, Weights
from textgen.training.reporting.curve import Curve
from textgen.training.result import Result

_UNCLEAR = 0.03


class Validation:
    """Measures and reports validation losses.

    Args:
        result: holds the validation text, makes models of weights, and emits events.
        judge: measures the loss.
        clock: is told how long a validation takes.
        folder: folder of the checkpoint, where pictures are written.
        curve: whether to draw the losses.
    """

    def __init__(self, result: Result, judge: Judge, clock: Clock, folder: Path, *, curve: bool) -> None:
        """Tell the clock how long the last validation takes."""
        self._result, self._judge, self._clock, self._folder = result, judge, clock, folder
        self._tokens = len(result.corpus.validation)
        clock.final_validation = 1 + min(self._tokens, judge.final_tokens) / judge.tokens
        settings = result.settings
        self._curve = Curve(LEVELS[settings.level].token, settings.time_limit) if curve else None

    def run(
        self,
        weights: Weights,
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
        loss = self._judge.loss(weights, self._judge.tokens)
        mean = sum(training_losses) / len(training_losses) if training_losses else None
        best = progress.validated(loss, self._clock.elapsed_s, mean)
        measured = time.monotonic()
        picture = self.picture(progress, self._folder)
        begun += time.monotonic() - measured  # the picture limits its own share of the time
        self._result.tell_checkpoint(weights, progress, fraction, **picture)
        self._clock.validation_took(time.monotonic() - begun)
        return best

    def choose(self, network: Weights, progress: Progress) -> Weights:
        """Return the network's weights, or those of the counts alone if these predict the text better.

        What the counts reach was measured before the first step, on other positions. If the network is not
        clearly better or worse than that, the counts are measured again, like the network.

        Args:
            network: the weights with the lowest loss, or the last ones if the counts' was lower.
            progress: of the training.
        """
        start = self._result.start
        loss = progress.best_loss if progress.best_step else progress.history[-1]["validation_loss"]
        counts, alone = start.loss, dict(start.weights)
        if alone and abs(loss - counts) < _UNCLEAR * counts:
            counts = self._judge.loss(alone, self._judge.tokens)
        if alone and counts <= loss:
            progress.best_loss, progress.best_step = counts, 0
            return alone
        progress.best_loss, progress.best_step = loss, progress.best_step or progress.step
        return network

    def measure_whole(self, best: Weights, progress: Progress) -> None:
        """Set the best loss to that on the whole validation text, of which `run` reads only a part.

        Args:
            best: the weights with the lowest loss.
            progress: of the training.
        """
        if self._tokens > self._judge.tokens or progress.best_step == 0:
            progress.best_loss = self._judge.loss(best, self._judge.final_tokens)

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
