"""The results of a training: bundles, samples, and the events about them."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from textgen import __version__, bundle
from textgen.files.bundle_files import NEWEST_SAMPLING
from textgen.levels import SUBWORD
from textgen.model import TextModel
from textgen.network.spec import NetworkSpec
from textgen.pretrained.base import Base
from textgen.pretrained.tuned.spec import TunedSpec
from textgen.sampling import SamplingSettings
from textgen.settings.training import TrainingSettings
from textgen.training.checkpoints.progress import Progress
from textgen.training.data.prepared_corpus import PreparedCorpus
from textgen.training.plan import Weights
from textgen.training.reporting.events import CheckpointEvent, EventSink, FinishedEvent, StartedEvent
from textgen.training.start import Start

FINAL_TOKENS = 500_000
"""Tokens of the validation text that the last validation reads."""

NO_TIME = "time limit before the first step"
NO_KERAS = "a missing package before the first step"
"""Why a training ended with the counts alone."""

SAMPLE = SamplingSettings(length=240, temperature=0.7, random_seed=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """Makes the bundles of a training, and emits its events.

    Attributes:
        corpus: the tokens that are trained on.
        settings: validated training options.
        start: holds the counted models.
        spec: shape of the network; of a fine-tuned base, shape of what is added to it.
        device: where the training runs, for example "cpu".
        emit: receives the events.
        base: the base that is fine-tuned; None for a network from nothing.
    """

    corpus: PreparedCorpus
    settings: TrainingSettings
    start: Start
    spec: NetworkSpec | TunedSpec
    device: str
    emit: EventSink
    base: Base | None = None

    def tell_start(
        self, notes: list[str], *, resumed: bool, damage: str = "", lacking: str | None = None
    ) -> None:
        """Emit that the training begins, and what is wrong: see `StartedEvent`."""
        event: StartedEvent = {
            "event": "started",
            "device": self.device,
            "resumed": resumed,
            "characters": self.corpus.characters,
            "vocabulary": self.spec.vocabulary,
            "parameters": self.spec.parameters,
            "notes": notes,
        }
        if damage:
            event["damage"] = damage
        if lacking:
            event["lacking"] = lacking
        self.emit(event)

    def tell_checkpoint(self, weights: Weights, progress: Progress, fraction: float, **more: str) -> None:
        """Emit the newest losses, and a sample of the model with the given weights."""
        self.emit(cast("CheckpointEvent", {"event": "checkpoint", **progress.history[-1], **more}))
        self.tell_samples(weights, progress, fraction, (SAMPLE.temperature,))

    def tell_samples(
        self, weights: Weights, progress: Progress, fraction: float, temperatures: tuple[float, ...]
    ) -> None:
        """Emit a sample of the model with the given weights, at each temperature."""
        model = TextModel(self.as_bundle(weights, progress))
        for temperature in temperatures:
            sample = model.sample("", SamplingSettings(SAMPLE.length, temperature, SAMPLE.random_seed))
            self.emit(
                {
                    "event": "sample",
                    "text": sample.seed + sample.text,
                    "temperature": temperature,
                    "fraction": round(fraction, 4),
                }
            )
        if self.base is not None:
            # The training needs the memory for other things until the next sample.
            self.base.release()

    def as_bundle(
        self,
        weights: Weights,
        progress: Progress,
        *,
        stopped: str = "running",
        fraction: float = 0.0,
        seconds: float = 0.0,
    ) -> bundle.Bundle:
        """Return the model with the given weights.

        Args:
            weights: of the network, by name.
            progress: of the training.
            stopped: why the training ended.
            fraction: share of the planned training that was done, 0 to 1.
            seconds: wall-clock time of the training.
        """
        corpus, settings, spec = self.corpus, self.settings, self.spec
        used = dataclasses.replace(settings, learning_rate=settings.learning_rate * progress.rate)
        manifest = bundle.Manifest(
            level=corpus.tokenizer.level,
            cell=spec.cell,
            parameters=spec.parameters,
            vocabulary=spec.vocabulary,
            characters=corpus.characters,
            corpus_sha256=corpus.sha256,
            validation_loss=progress.best_loss if math.isfinite(progress.best_loss) else 0.0,
            steps=progress.step,
            seconds=round(seconds, 2),
            device=self.device,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            stopped=stopped,
            textgen_version=__version__,
            settings=used.fingerprint(),
            fraction=round(fraction, 4),
            history=progress.history,
            seeds=corpus.seeds,
            text_form=corpus.text_form,
            items=corpus.items,
            expert_losses={name: round(loss, 4) for name, loss in self.start.losses.items()},
            sampling=NEWEST_SAMPLING if corpus.tokenizer.level == SUBWORD.name else 1,
        )
        return bundle.Bundle(
            spec, corpus.tokenizer, weights, manifest, self.start.experts, corpus.known, self.base
        )

    def tell_finish(self, output: Path, manifest: bundle.Manifest, **more: object) -> None:
        """Emit that the training has finished.

        Args:
            output: folder of the written bundle.
            manifest: of the bundle.
            more: further keys of the event.
        """
        event = {
            "event": "finished",
            "bundle": str(output),
            "validation_loss": round(manifest.validation_loss, 5),
            "bits_per_token": round(manifest.bits_per_token, 5),
            "perplexity": round(manifest.perplexity, 4),
            "stopped": manifest.stopped,
            "steps": manifest.steps,
            **more,
        }
        self.emit(cast("FinishedEvent", event))

    def without_network(
        self, output: Path, started: float, notes: Sequence[str] = (), lacking: str | None = None
    ) -> bundle.Manifest:
        """Finish at once with the counted model alone.

        Args:
            output: the bundle's folder.
            started: `time.monotonic` when the training began.
            notes: what a user should know, beside the notes on the corpus.
            lacking: the package that is missing for a network; None if there is no time for one.
        """
        self.tell_start([*self.corpus.notes, *notes], resumed=False, lacking=lacking)
        progress = self.start.progress()
        self.tell_checkpoint(self.start.weights, progress, 1.0)
        if self.base is None:
            progress.best_loss = self.start.loss_on(self.corpus.validation, FINAL_TOKENS)
        made = self.as_bundle(
            self.start.weights,
            progress,
            stopped=NO_KERAS if lacking else NO_TIME,
            fraction=1.0,
            seconds=time.monotonic() - started,
        )
        bundle.write(output, made)
        self.tell_finish(output, made.manifest)
        return made.manifest
