"""The training loop: takes steps until a limit is reached, then writes the bundle.

It validates, reports progress and writes checkpoints, so that a killed training can be resumed.
"""

from __future__ import annotations

import time
from contextlib import closing, suppress
from pathlib import Path

import keras

from textgen import bundle
from textgen.errors import TrainingError, TrainingInterruptedError
from textgen.training import backend
from textgen.training.checkpoints import checkpoint, checkpoint_file
from textgen.training.data.batches import Batches
from textgen.training.loop.clock import Clock
from textgen.training.loop.divergence import DivergedError, LossWatch
from textgen.training.loop.optimizing import cosine
from textgen.training.loop.step_reports import StepReports
from textgen.training.loop.validation import Validation
from textgen.training.plan import Plan
from textgen.training.reporting.events import Control
from textgen.training.result import Result

_VALIDATIONS_AN_EPOCH = 4
_LIVE_TEMPERATURES = (0.2, 0.5, 1.0, 1.2)
_SLOWER = 0.25
"""Share of the learning rate with which a training that diverged starts again."""


class Trainer:
    """One training, from the first step to the written bundle.

    Args:
        result: holds corpus and settings, makes bundles, and emits the events.
        plan: what is trained, on which windows, and how it is measured.
        output: the bundle's folder.
        control: through which another thread can end the training.
        started: `time.monotonic` when the process began; a time limit counts from there.
        live_sample: whether to emit samples at four temperatures after each epoch.
        curve: whether to draw the losses while it trains, and to put the picture into the bundle's folder.
    """

    def __init__(
        self,
        result: Result,
        plan: Plan,
        output: Path,
        control: Control,
        *,
        started: float,
        live_sample: bool,
        curve: bool,
    ) -> None:
        """Prepare the clock, the validations and the batches."""
        self._result, self._settings, self._output = result, result.settings, output
        self._control, self._live_sample = control, live_sample
        self._checkpoint = checkpoint_file.path_for(output)
        self._notes = [*result.corpus.notes, *plan.notes]
        self._strips, self._network, self._model = plan.windows, plan.trainee, plan.trainee.model
        self._clock = Clock(self._settings.time_limit, started)
        self._validation = Validation(result, plan.judge, self._clock, self._checkpoint.parent, curve=curve)
        self._first = checkpoint.values(self._network.checkpointed())
        self._batches = Batches(self._strips, self._network, self._settings.random_seed)
        self._reports = StepReports(
            result.emit, self._clock, total=self._total, tokens=self._strips.batch * self._strips.length
        )
        self._begin()
        self._damage = ""
        self._saved_at = time.monotonic()

    def _begin(self, rate: float = 1.0) -> None:
        """Set everything to the state before the first step; the loss to beat is the n-gram model's."""
        start = self._result.start
        self._progress, self._best = start.progress(rate), start.weights
        self._watch = LossWatch(self._result.spec.vocabulary)
        self._reports.begin()
        # The training losses since the last validation.
        self._losses: list[float] = []

    def run(self, *, resume: bool) -> bundle.Manifest:
        """Train until a limit is reached, and write the bundle.

        Args:
            resume: whether to resume from the checkpoint, if there is one.

        Returns:
            The bundle's manifest.

        Raises:
            TrainingInterruptedError: the training was cancelled; the checkpoint is kept.
            TrainingError: the training diverged, or the disk refuses.
        """
        resumed = resume and self._go_on()
        if not resumed and self._control.interactive:
            # With this checkpoint an interruption during the compilation of the first step loses nothing. If
            # the disk is full now, it may have room again at the end.
            with suppress(TrainingError):
                self._save()
        self._result.tell_start(self._notes, resumed=resumed, damage=self._damage)
        if self._best and not resumed:
            self._result.tell_checkpoint(self._best, self._progress, 0.0)
        with closing(self._batches):
            stopped = self._train_to_end()
        return self._finish(stopped)

    def _go_on(self) -> bool:
        """Restore the state of the checkpoint; return whether there was a usable one."""
        found = checkpoint.resume(self._checkpoint, self._network.checkpointed(), self._fingerprint())
        if found.note:
            self._notes.append(found.note)
        self._damage = found.damage
        if found.progress is None:
            return False
        self._progress, self._best = found.progress, found.best
        self._clock.before_s = self._progress.elapsed_s
        return True

    def _train_to_end(self) -> str:
        """Train; after a divergence start again, once, with a lower learning rate. Return why it ended."""
        rate = self._settings.learning_rate
        try:
            return self._train()
        except DivergedError as error:
            diverged = str(error)
        if self._progress.rate < 1:
            raise TrainingError(
                f"{diverged}, with a quarter of the learning rate too: the training diverged and nothing was "
                "saved",
                advice=[f"try a lower --learning-rate than {rate:g}"],
            )
        told = f"{diverged}: it begins again with a learning rate of {rate * _SLOWER:g} instead of {rate:g}"
        self._result.tell_start([told], resumed=False)
        for variable, value in zip(self._network.checkpointed(), self._first, strict=True):
            variable.assign(value)
        self._begin(_SLOWER)
        return self._train_to_end()

    def _train(self) -> str:
        """Take steps until the training ends; return why it ended."""
        progress, batches = self._progress, self._strips.batches
        every = max(1, batches // _VALIDATIONS_AN_EPOCH)
        self._model.reset_metrics()
        while True:
            reason = self._reason_to_stop()
            if reason:
                return reason
            if progress.batch == 0:
                self._network.reset_state()
            loss = self._step()
            if self._reports.due():
                # Keras reports the mean loss since the last reset.
                self._model.reset_metrics()
                self._reports.emit(loss, progress.step, self._fraction())
            # With a time limit the clock decides when to validate. Otherwise the step number does, so that
            # the same settings always give the same weights.
            timed = self._clock.limit_s is not None
            if self._clock.validation_due() if timed else progress.batch % every == 0:
                self._validate()
            if progress.batch == 0 and self._live_sample:
                weights = self._network.weights()
                self._result.tell_samples(weights, progress, self._fraction(), _LIVE_TEMPERATURES)
            if time.monotonic() - self._saved_at >= self._settings.checkpoint_s:
                self._save()

    def _reason_to_stop(self) -> str | None:
        if self._control.cancelled:
            self._save()
            raise TrainingInterruptedError(
                f"stopped after {self._progress.step:,} steps", advice=["--resume goes on from there"]
            )
        # Without an n-gram model there is no usable model before the first step.
        if self._control.finish_requested and (self._progress.step or self._best):
            return "finish requested"
        if self._progress.epoch >= self._settings.num_epochs:
            return "epochs"
        if self._clock.fraction() >= 1:
            return "time limit"
        if self._settings.patience is not None and self._progress.stale >= self._settings.patience:
            return "patience"
        return None

    def _step(self) -> float:
        progress, strips = self._progress, self._strips
        rate = self._settings.learning_rate * progress.rate
        if self._settings.schedule == "cosine":
            rate *= cosine(self._learnt())
        if self._settings.schedule == "cosine" or progress.rate < 1:
            self._model.optimizer.learning_rate = rate
        inputs, targets = self._batches.of(progress.step)
        loss = float(self._model.train_on_batch(inputs, targets, return_dict=True)["loss"])
        self._watch.see(loss, progress.step)
        self._losses.append(loss)
        self._control.under_way = True
        self._reports.step()
        progress.step += 1
        if progress.step == 1:
            progress.before_learning_s = self._clock.elapsed_s
        progress.batch += 1
        if progress.batch == strips.batches:
            progress.batch = 0
            progress.epoch += 1
        return loss

    @property
    def _total(self) -> int:
        return self._strips.batches * self._settings.num_epochs

    def _fraction(self) -> float:
        return max(self._progress.step / self._total, self._clock.fraction())

    def _learnt(self) -> float:
        """Return the share of the steps that is done, for the learning rate.

        Of a short time limit, loading Keras and compiling the first step take a third. If that counted, the
        first step would come in the middle of the schedule, at the full rate and without a warm-up.
        """
        step = self._progress.step
        by_clock = self._clock.fraction(self._progress.before_learning_s) if step else 0.0
        return max(step / self._total, by_clock)

    def _validate(self) -> None:
        """Measure the validation loss, and keep the weights if it is the lowest so far."""
        weights = self._network.weights()
        if self._validation.run(weights, self._progress, self._losses, self._fraction()):
            self._best = weights
        self._losses.clear()

    def _save(self) -> None:
        self._progress.elapsed_s = self._clock.elapsed_s
        variables = self._network.checkpointed()
        checkpoint.save(self._checkpoint, variables, self._progress, self._best, self._fingerprint())
        self._saved_at = time.monotonic()

    def _finish(self, stopped: str) -> bundle.Manifest:
        progress = self._progress
        if progress.step == 0 and not self._best:
            raise TrainingError(
                f"the time limit of {self._settings.time_limit:g} s was over before the first step: reading, "
                f"loading and compiling took {self._clock.elapsed_s:.1f} s; give it more time"
            )
        if progress.step == 0:
            stopped = f"{stopped} before the first step"
        elif not progress.history or progress.history[-1]["step"] != progress.step:
            self._validate()
        if progress.step:
            network = self._best if progress.best_step else self._network.weights()
            self._best = self._validation.choose(network, progress)
        self._validation.measure_whole(self._best, progress)
        made = self._result.as_bundle(
            self._best, progress, stopped=stopped, fraction=self._fraction(), seconds=self._clock.elapsed_s
        )
        bundle.write(self._output, made)
        picture = self._validation.picture(progress, self._output, at_once=True)
        device_mb = backend.device_megabytes()
        self._result.tell_finish(self._output, made.manifest, device_mb=device_mb, **picture)
        checkpoint_file.discard(self._checkpoint.parent)
        return made.manifest

    def _fingerprint(self) -> dict[str, object]:
        return {
            "corpus": self._result.corpus.sha256,
            "backend": keras.backend.backend(),
            **self._settings.fingerprint(),
        }
