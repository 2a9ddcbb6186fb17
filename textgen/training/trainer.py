"""The training loop: from a corpus to a bundle, telling of its progress and able to go on after a kill."""

from __future__ import annotations

import math
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np

from textgen import __version__, bundle
from textgen.dataset import Strips, fit_to_corpus
from textgen.errors import TrainingError, TrainingInterruptedError
from textgen.evaluation import mean_loss
from textgen.events import Control, EventSink
from textgen.model import TextModel
from textgen.sampling import SamplingSettings
from textgen.settings import TrainingSettings
from textgen.training import backend, checkpoint, network
from textgen.training.base import grown
from textgen.training.checkpoint import Arrays, Progress
from textgen.training.clock import Clock
from textgen.training.corpora import PreparedCorpus

_PROGRESS_S = 1.0
_WARM_UP = 0.03
_SHORTEST_COMPILED_S = 35.0
_LOWEST = 0.05
_VALIDATIONS_AN_EPOCH = 4
_VALIDATION_WORK = 10_000_000_000
_FINAL_TOKENS = 500_000
_SAMPLE = SamplingSettings(length=240, temperature=0.7, random_seed=1)
_LIVE_TEMPERATURES = (0.2, 0.5, 1.0, 1.2)


class Trainer:
    """One training. `run` does it all.

    Args:
        corpus: what to learn.
        settings: how.
        output: the bundle's folder.
        emit: receives the events of `textgen.events`.
        control: what somebody outside wishes.
        started: `time.monotonic` when the process began, which a time limit counts from.
        live_sample: emit samples at four temperatures after each epoch.
        base: weights to begin with.
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
        base: bundle.Weights | None = None,
    ) -> None:
        """Fit the batches to the corpus and build the network."""
        self._corpus, self._settings, self._output = corpus, settings, output
        self._emit, self._control, self._live_sample = emit, control, live_sample
        self._notes = list(corpus.notes)
        batch, length = fit_to_corpus(len(corpus.training), settings.batch_size, settings.seq_length)
        if (batch, length) != (settings.batch_size, settings.seq_length):
            self._notes.append(
                f"the corpus is short: trained as {batch} strips of windows of {length} tokens"
            )
        self._strips = Strips(corpus.training, batch, length, min(settings.seq_step, length))
        self._spec = settings.network(corpus.tokenizer.size)
        longer = min(len(corpus.validation), _FINAL_TOKENS) / self._validation_tokens
        self._clock = Clock(settings.time_limit, started, final_validation=1 + longer)
        self._network = network.build(self._spec, batch, length, settings.random_seed, backend.products())
        if base is not None:
            self._network.set_weights(grown(self._network.weights(), base))
        self._model = self._network.model
        self._model.compile(
            optimizer=_optimizer(settings),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=backend.jit_compile(worth_it=_worth_compiling(settings)),
        )
        self._model.optimizer.build(self._model.trainable_variables)
        self._progress = Progress()
        self._best: Arrays = {}
        self._saved_at = self._told_at = time.monotonic()

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
        resumed = resume and self._checkpoint.exists()
        if resumed:
            self._progress, self._best = checkpoint.restore(
                self._checkpoint, self._variables(), self._fingerprint()
            )
            self._clock.before_s = self._progress.elapsed_s
        elif resume:
            self._notes.append("there is no checkpoint to resume: this training starts anew")
        self._emit(
            {
                "event": "started",
                "device": backend.device(),
                "resumed": resumed,
                "characters": self._corpus.characters,
                "vocabulary": self._spec.vocabulary,
                "parameters": self._spec.parameters,
                "notes": self._notes,
            }
        )
        stopped = self._train()
        return self._finish(stopped)

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
            loss = self._step(self._strips)
            self._tell(loss)
            # With a time limit the clock decides when to validate; otherwise the step does, so that
            # the same settings always end in the same weights.
            timed = self._clock.limit_s is not None
            if self._clock.validation_due() if timed else progress.batch % every == 0:
                self._validate()
            if progress.batch == 0 and self._live_sample:
                self._sample(TextModel(self._bundle(self._network.weights(), "running")), _LIVE_TEMPERATURES)
            if time.monotonic() - self._saved_at >= self._settings.checkpoint_s:
                self._save()

    def _reason_to_stop(self) -> str | None:
        if self._control.cancelled:
            self._save()
            raise TrainingInterruptedError(
                f"stopped after {self._progress.step:,} steps; --resume goes on from there"
            )
        if self._control.finish_requested:
            return "finish requested"
        if self._progress.epoch >= self._settings.num_epochs:
            return "epochs"
        if self._clock.limit_s is not None and self._clock.fraction >= 1:
            return "time limit"
        if self._settings.patience is not None and self._progress.stale >= self._settings.patience:
            return "patience"
        return None

    def _step(self, strips: Strips) -> float:
        progress = self._progress
        if self._settings.schedule == "cosine":
            self._model.optimizer.learning_rate = self._settings.learning_rate * cosine(self._fraction())
        # A generator for each step: a resumed training draws what an uninterrupted one would.
        random = np.random.default_rng((self._settings.random_seed, progress.step))
        windows = strips.windows(progress.batch, self._network.before)
        inputs, targets = self._network.arrange(windows, random)
        loss = float(self._model.train_on_batch(inputs, targets, return_dict=True)["loss"])
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} after {progress.step:,} steps: the training diverged and nothing "
                f"was saved; try a lower --learning-rate than {self._settings.learning_rate:g}"
            )
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
        elapsed, fraction = self._clock.elapsed_s, self._fraction()
        self._emit(
            {
                "event": "progress",
                "fraction": round(fraction, 4),
                "loss": round(loss, 4),
                "eta_s": round(elapsed / fraction - elapsed, 1) if fraction > 0 else None,
                "step": self._progress.step,
                "elapsed_s": round(elapsed, 1),
            }
        )

    def _fraction(self) -> float:
        total = self._strips.batches * self._settings.num_epochs
        return max(self._progress.step / total, self._clock.fraction)

    def _validate(self) -> None:
        """Measure the validation loss of what will be served, and keep the weights if they are the best."""
        begun = time.monotonic()
        weights = self._network.weights()
        model = TextModel(self._bundle(weights, "running"))
        loss = mean_loss(model, self._corpus.validation, limit=self._validation_tokens)
        progress = self._progress
        progress.history.append(
            {
                "step": progress.step,
                "seconds": round(self._clock.elapsed_s, 2),
                "validation_loss": round(loss, 5),
            }
        )
        if loss < progress.best_loss:
            progress.best_loss, progress.best_step, progress.stale = loss, progress.step, 0
            self._best = weights
        else:
            progress.stale += 1
        self._emit({"event": "checkpoint", "step": progress.step, "validation_loss": round(loss, 5)})
        self._sample(model, (_SAMPLE.temperature,))
        self._clock.validation_took(time.monotonic() - begun)

    @property
    def _validation_tokens(self) -> int:
        # So many that a validation takes about as long for every size of network.
        dense = self._spec.parameters - math.prod(self._spec.shapes().get("ngrams", (0,)))
        return max(2_000, min(50_000, _VALIDATION_WORK // dense))

    def _sample(self, model: TextModel, temperatures: tuple[float, ...]) -> None:
        for temperature in temperatures:
            sample = model.sample("", SamplingSettings(_SAMPLE.length, temperature, _SAMPLE.random_seed))
            self._emit(
                {
                    "event": "sample",
                    "text": sample.seed + sample.text,
                    "temperature": temperature,
                    "fraction": round(self._fraction(), 4),
                }
            )

    def _save(self) -> None:
        self._progress.elapsed_s = self._clock.elapsed_s
        checkpoint.save(self._checkpoint, self._variables(), self._progress, self._best, self._fingerprint())
        self._saved_at = time.monotonic()

    def _variables(self) -> list[keras.Variable]:
        """Return weights, dropout's random state, carried states and the optimizer's, in a fixed order."""
        model = self._model
        return [*model.trainable_variables, *model.non_trainable_variables, *model.optimizer.variables]

    def _finish(self, stopped: str) -> bundle.Manifest:
        if self._progress.step == 0 and not self._best:
            raise TrainingError(
                f"{self._settings.time_limit} seconds were over before the first step; "
                "give a longer --time-limit"
            )
        history = self._progress.history
        if not history or history[-1]["step"] != self._progress.step:
            self._validate()
        if len(self._corpus.validation) > self._validation_tokens:
            # While it trained only a part was looked at; what is told in the end is of the whole.
            best = TextModel(self._bundle(self._best, stopped))
            self._progress.best_loss = mean_loss(best, self._corpus.validation, limit=_FINAL_TOKENS)
        final = self._bundle(self._best, stopped)
        bundle.write(self._output, final)
        shutil.rmtree(self._checkpoint.parent, ignore_errors=True)
        manifest = final.manifest
        self._emit(
            {
                "event": "finished",
                "bundle": str(self._output),
                "validation_loss": round(manifest.validation_loss, 5),
                "bits_per_token": round(manifest.bits_per_token, 5),
                "perplexity": round(manifest.perplexity, 4),
                "stopped": stopped,
                "device_mb": backend.device_megabytes(),
            }
        )
        return manifest

    def _bundle(self, weights: Arrays, stopped: str) -> bundle.Bundle:
        corpus = self._corpus
        manifest = bundle.Manifest(
            level=corpus.tokenizer.level,
            cell=self._spec.cell,
            parameters=self._spec.parameters,
            vocabulary=self._spec.vocabulary,
            characters=corpus.characters,
            corpus_sha256=corpus.sha256,
            validation_loss=self._progress.best_loss if math.isfinite(self._progress.best_loss) else 0.0,
            steps=self._progress.step,
            seconds=round(self._clock.elapsed_s, 2),
            device=backend.device(),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            stopped=stopped,
            textgen_version=__version__,
            settings=self._settings.fingerprint(),
            history=self._progress.history,
            seeds=corpus.seeds,
            text_form=corpus.text_form,
        )
        return bundle.Bundle(self._spec, corpus.tokenizer, weights, manifest)

    def _fingerprint(self) -> dict[str, object]:
        return {
            "corpus": self._corpus.sha256,
            "backend": keras.backend.backend(),
            **self._settings.fingerprint(),
        }


def cosine(fraction: float) -> float:
    """Return the share of the learning rate at a point of the training, 0 to 1.

    A short rise lets the optimizer's averages settle; the fall to a twentieth is worth more than a
    longer training at full rate (Loshchilov and Hutter 2017).
    """
    rise = min(1.0, (fraction + 1e-3) / _WARM_UP)
    return rise * (_LOWEST + (1 - _LOWEST) * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0))))


def _worth_compiling(settings: TrainingSettings) -> bool:
    """Return whether XLA pays: it makes the linear cell two to three times as fast, a Keras LSTM no faster.

    It takes 5 to 10 s, which a short training had better spend on learning.
    """
    long = settings.time_limit is None or settings.time_limit >= _SHORTEST_COMPILED_S
    return settings.cell == "linear" and long


def checkpoint_path(output: Path) -> Path:
    """Return where a bundle's training keeps its checkpoint."""
    return output.with_name(f"{output.name}.checkpoint") / "state.safetensors"


def _optimizer(settings: TrainingSettings) -> keras.optimizers.Optimizer:
    rate = settings.learning_rate
    if settings.optimizer == "adamw":
        # Clipped, because a gradient through a long carried state is now and then very large.
        return keras.optimizers.AdamW(rate, weight_decay=0.01, beta_2=0.99, global_clipnorm=1.0)
    kinds = {"rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    return kinds[settings.optimizer](rate)
