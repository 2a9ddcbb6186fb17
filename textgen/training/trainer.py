"""The training loop: from a corpus to a bundle, telling of its progress and able to go on after a kill."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras

from textgen import bundle
from textgen.errors import TrainingError, TrainingInterruptedError
from textgen.evaluation import mean_loss
from textgen.files.output_folder import Output
from textgen.levels import LEVELS
from textgen.model import TextModel
from textgen.settings.training import TrainingSettings
from textgen.training import backend, network
from textgen.training.base import grown
from textgen.training.checkpoints import checkpoint, checkpoint_file
from textgen.training.clock import Clock, Pace
from textgen.training.data.batches import Batches
from textgen.training.data.corpora import PreparedCorpus
from textgen.training.data.strips import Strips, fit_to_corpus
from textgen.training.divergence import DivergedError, LossWatch
from textgen.training.optimizing import cosine, optimizer_of, worth_compiling
from textgen.training.reporting.curve import Curve
from textgen.training.reporting.events import Control, EventSink
from textgen.training.result import FINAL_TOKENS, Result
from textgen.training.start import Start

_PROGRESS_S = 1.0
_VALIDATIONS_AN_EPOCH = 4
_VALIDATION_WORK = 10_000_000_000
_LIVE_TEMPERATURES = (0.2, 0.5, 1.0, 1.2)
_SLOWER = 0.25
"""Of the learning rate, what a training that diverged begins again with."""


class Trainer:
    """One training. `run` does it all.

    Args:
        corpus: what to learn.
        settings: how.
        output: the bundle's folder.
        emit: receives the events of `textgen.training.reporting.events`.
        control: what somebody outside wishes.
        started: `time.monotonic` when the process began, which a time limit counts from.
        live_sample: emit samples at four temperatures after each epoch.
        start: the counted n-grams, and what they alone reach.
        base: weights to begin with.
        curve: draw the losses while it trains, and leave the picture in the bundle's folder.
    """

    def __init__(
        self,
        corpus: PreparedCorpus,
        settings: TrainingSettings,
        output: Path,
        emit: EventSink,
        control: Control,
        *,
        started: float,
        live_sample: bool = False,
        start: Start,
        base: bundle.Weights | None = None,
        curve: bool = False,
    ) -> None:
        """Fit the batches to the corpus and build the network."""
        self._corpus, self._settings, self._output = corpus, settings, output
        self._emit, self._control, self._live_sample = emit, control, live_sample
        self._start = start
        self._notes = list(corpus.notes)
        batch, length = fit_to_corpus(len(corpus.training), settings.batch_size, settings.seq_length)
        if (batch, length) != (settings.batch_size, settings.seq_length):
            self._notes.append(
                f"the corpus is short: trained as {batch} strips of windows of {length} tokens"
            )
        self._strips = Strips(corpus.training, batch, length, min(settings.seq_step, length))
        self._spec = settings.network(corpus.tokenizer.size)
        self._result = Result(corpus, settings, start, backend.device(), emit)
        longer = min(len(corpus.validation), FINAL_TOKENS) / self._validation_tokens
        self._clock = Clock(settings.time_limit, started, final_validation=1 + longer)
        self._network = network.build(
            self._spec,
            batch,
            length,
            settings.random_seed,
            start.counted,
            backend.products(),
            settings.fresh_starts,
        )
        if base is not None:
            self._network.set_weights(grown(self._network.weights(), base))
        self._model = self._network.model
        self._model.compile(
            optimizer=optimizer_of(settings),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=backend.jit_compile(
                worth_it=worth_compiling(settings, parameters=self._spec.parameters, steps=self._total)
            ),
        )
        self._model.optimizer.build(self._model.trainable_variables)
        self._first = checkpoint.values(self._variables())
        self._batches = Batches(self._strips, self._network, settings.random_seed)
        self._curve = Curve(LEVELS[settings.level].token, settings.time_limit) if curve else None
        self._begin()
        self._damage = ""
        self._saved_at = self._told_at = time.monotonic()

    def _begin(self, rate: float = 1.0) -> None:
        """Stand before the first step; the n-grams alone are what is to be beaten."""
        self._progress, self._best = self._start.progress(rate), self._start.weights
        self._watch = LossWatch(self._spec.vocabulary)
        self._pace = Pace()
        # Since the last validation.
        self._losses: list[float] = []

    @property
    def _checkpoint(self) -> Path:
        return checkpoint_path(self._output)

    def run(self, *, resume: bool) -> bundle.Manifest:
        """Train until a limit is reached, and write the bundle.

        Args:
            resume: go on from a checkpoint if there is one.

        Returns:
            The bundle's manifest.

        Raises:
            TrainingInterruptedError: it was cancelled; the checkpoint is kept.
            TrainingError: the loss is not finite, or the disk refuses.
        """
        resumed = resume and self._go_on()
        if not resumed and self._control.interactive:
            # Whoever is interrupted while the first step is compiled loses nothing. Without room for it there
            # is still hope of some in the end.
            with suppress(TrainingError):
                self._save()
        self._result.tell_start(self._notes, resumed=resumed, damage=self._damage)
        if self._best and not resumed:
            first = TextModel(self._result.as_bundle(self._best, self._progress))
            self._result.tell_checkpoint(first, self._progress, 0.0)
        with self._batches:
            try:
                stopped = self._train()
            except DivergedError as error:
                stopped = self._train_slower(error)
        return self._finish(stopped)

    def _go_on(self) -> bool:
        """Take up the state of a checkpoint; return whether there was one to go on from."""
        found = checkpoint.resume(self._checkpoint, self._variables(), self._fingerprint())
        if found.note:
            self._notes.append(found.note)
        self._damage = found.damage
        if found.progress is None:
            return False
        self._progress, self._best = found.progress, found.best
        self._clock.before_s = self._progress.elapsed_s
        return True

    def _train_slower(self, error: DivergedError) -> str:
        """Begin again, once, with smaller steps."""
        rate = self._settings.learning_rate
        if self._progress.rate < 1:
            raise self._diverged(error)
        told = f"{error}: it begins again with a learning rate of {rate * _SLOWER:g} instead of {rate:g}"
        self._result.tell_start([told], resumed=False)
        for variable, value in zip(self._variables(), self._first, strict=True):
            variable.assign(value)
        self._begin(_SLOWER)
        try:
            return self._train()
        except DivergedError as again:
            raise self._diverged(again) from None

    def _diverged(self, error: DivergedError) -> TrainingError:
        return TrainingError(
            f"{error}, with a quarter of the learning rate too: the training diverged and nothing was saved",
            advice=[f"try a lower --learning-rate than {self._settings.learning_rate:g}"],
        )

    def _train(self) -> str:
        """Take steps until something ends the training; return what."""
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
            self._tell(loss)
            # With a time limit the clock decides when to validate; otherwise the step does, so that
            # the same settings always end in the same weights.
            timed = self._clock.limit_s is not None
            if self._clock.validation_due() if timed else progress.batch % every == 0:
                self._validate()
            if progress.batch == 0 and self._live_sample:
                model = TextModel(self._result.as_bundle(self._network.weights(), self._progress))
                self._result.tell_samples(model, _LIVE_TEMPERATURES, self._fraction())
            if time.monotonic() - self._saved_at >= self._settings.checkpoint_s:
                self._save()

    def _reason_to_stop(self) -> str | None:
        if self._control.cancelled:
            self._save()
            raise TrainingInterruptedError(
                f"stopped after {self._progress.step:,} steps", advice=["--resume goes on from there"]
            )
        # Without counted n-grams there is nothing to keep before the first step.
        if self._control.finish_requested and (self._progress.step or self._best):
            return "finish requested"
        if self._progress.epoch >= self._settings.num_epochs:
            return "epochs"
        if self._clock.limit_s is not None and self._clock.fraction >= 1:
            return "time limit"
        if self._settings.patience is not None and self._progress.stale >= self._settings.patience:
            return "patience"
        return None

    def _step(self) -> float:
        progress, strips = self._progress, self._strips
        rate = self._settings.learning_rate * progress.rate
        if self._settings.schedule == "cosine":
            rate *= cosine(self._fraction())
        if self._settings.schedule == "cosine" or progress.rate < 1:
            self._model.optimizer.learning_rate = rate
        inputs, targets = self._batches.of(progress.step)
        loss = float(self._model.train_on_batch(inputs, targets, return_dict=True)["loss"])
        self._watch.see(loss, progress.step)
        self._losses.append(loss)
        self._control.begin()
        self._pace.step()
        progress.step += 1
        progress.batch += 1
        if progress.batch == strips.batches:
            progress.batch = 0
            progress.epoch += 1
        return loss

    def _tell(self, loss: float) -> None:
        if time.monotonic() - self._told_at < _PROGRESS_S:
            return
        self._told_at = time.monotonic()
        # Keras reports the mean since the last reset; it starts anew with each report.
        self._model.reset_metrics()
        # The limit is known from the start; how long the steps take, only after some of them.
        left = [self._clock.left_s, self._pace.left_s(self._total - self._progress.step)]
        known = [seconds for seconds in left if seconds is not None]
        self._emit(
            {
                "event": "progress",
                "fraction": round(self._fraction(), 4),
                "loss": round(loss, 4),
                "eta_s": round(min(known), 1) if known else None,
                "step": self._progress.step,
                "elapsed_s": round(self._clock.elapsed_s, 1),
            }
        )

    @property
    def _total(self) -> int:
        return self._strips.batches * self._settings.num_epochs

    def _fraction(self) -> float:
        return max(self._progress.step / self._total, self._clock.fraction)

    def _validate(self) -> None:
        """Measure the validation loss of what will be served, and keep the weights if they are the best."""
        begun = time.monotonic()
        weights = self._network.weights()
        model = TextModel(self._result.as_bundle(weights, self._progress))
        loss = mean_loss(model, self._corpus.validation, limit=self._validation_tokens)
        learnt = sum(self._losses) / len(self._losses) if self._losses else None
        self._losses.clear()
        if self._progress.validated(loss, self._clock.elapsed_s, learnt):
            self._best = weights
        measured = time.monotonic()
        picture = self._picture(self._checkpoint.parent)
        begun += time.monotonic() - measured  # it keeps to a share of the time by itself
        self._result.tell_checkpoint(model, self._progress, self._fraction(), **picture)
        self._clock.validation_took(time.monotonic() - begun)

    def _picture(self, folder: Path, *, at_once: bool = False) -> dict[str, str]:
        """Draw the losses into a folder if somebody wants that and it is time to; return where it is."""
        if self._curve is None:
            return {}
        picture = self._curve.draw(self._progress.history, folder, at_once=at_once)
        return {} if picture is None else {"picture": str(picture)}

    def _last_words(self) -> dict[str, Any]:
        return {"device_mb": backend.device_megabytes(), **self._picture(self._output, at_once=True)}

    @property
    def _validation_tokens(self) -> int:
        # So many that a validation takes about as long for every size of network.
        return max(2_000, min(50_000, _VALIDATION_WORK // self._spec.parameters))

    def _save(self) -> None:
        self._progress.elapsed_s = self._clock.elapsed_s
        checkpoint.save(self._checkpoint, self._variables(), self._progress, self._best, self._fingerprint())
        self._saved_at = time.monotonic()

    def _variables(self) -> list[keras.Variable]:
        """Return weights, dropout's random state, carried states and the optimizer's, in a fixed order."""
        model = self._model
        return [*model.trainable_variables, *model.non_trainable_variables, *model.optimizer.variables]

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
        if len(self._corpus.validation) > self._validation_tokens or progress.best_step == 0:
            # While it trained only a part was looked at; what is told in the end is of the whole.
            best = TextModel(self._result.as_bundle(self._best, progress))
            progress.best_loss = mean_loss(best, self._corpus.validation, limit=FINAL_TOKENS)
        made = self._result.as_bundle(
            self._best, progress, stopped=stopped, fraction=self._fraction(), seconds=self._clock.elapsed_s
        )
        manifest = self._result.finish(self._output, made, more=self._last_words)
        checkpoint_file.discard(self._checkpoint.parent)
        return manifest

    def _fingerprint(self) -> dict[str, object]:
        return {
            "corpus": self._corpus.sha256,
            "backend": keras.backend.backend(),
            **self._settings.fingerprint(),
        }


def checkpoint_path(output: Path) -> Path:
    """Return where a bundle's training keeps its checkpoint."""
    return Output.of(output).checkpoint / checkpoint_file.NAME
