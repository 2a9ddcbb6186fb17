"""The two ways to train a model: a recurrent network from nothing, or a change of a pretrained base.

Both follow the same path: settings, a model before the first step, a plan for the loop. Nothing here imports
Keras before a plan is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textgen import bundle
from textgen.network.spec import NetworkSpec
from textgen.pretrained import store
from textgen.pretrained.base import Base
from textgen.pretrained.tuned.spec import TunedSpec
from textgen.settings.training import TrainingSettings
from textgen.tokenizers import Tokenizer
from textgen.training import fine_tuning, memory, start
from textgen.training.data.prepared_corpus import PreparedCorpus
from textgen.training.plan import Plan
from textgen.training.result import Result
from textgen.training.start import Start
from textgen.training.tuning import memory as tuning_memory
from textgen.training.tuning import settings as tuning_settings
from textgen.training.tuning import start as tuning_start


@dataclass(frozen=True, slots=True)
class FromNothing:
    """A recurrent network, or one more training of such a network.

    Attributes:
        settings: validated training options.
        before: a model that is continued; None for none.
    """

    settings: TrainingSettings
    before: bundle.Bundle | None = None
    pretrained: None = None
    loading_s: float = 4.0
    """The shortest time for loading Keras and building a network."""

    @property
    def tokenizer(self) -> Tokenizer | None:
        """A tokenizer to extend; None to train one."""
        return self.before.tokenizer if self.before else None

    def first_look(
        self, corpus: PreparedCorpus, started: float, *, network: bool
    ) -> tuple[NetworkSpec, Start]:
        """Return the network's shape, and the state before the first step.

        Args:
            corpus: the tokens to train on.
            started: `time.monotonic` when the training began.
            network: whether a network will be trained, for which the memory must suffice.

        Raises:
            OutOfMemoryError: the memory is too small.
        """
        size = corpus.tokenizer.size
        if network:
            memory.check(self.settings, size, len(corpus.training), memory.available())
        settings = self.settings
        if not self.before and not start.time_for_experts(len(corpus.training), settings.time_limit):
            settings = replace(settings, experts=())
        return start.first_look(corpus, settings.network(size), self.before, started)

    def plan(self, result: Result) -> Plan:
        """Return the plan for the loop; Keras must be loaded."""
        from textgen.training import recurrent

        return recurrent.plan(result, self.before.weights if self.before else None)


@dataclass(frozen=True, slots=True)
class FineTuning:
    """A low-rank change of a pretrained base, mixed with the corpus' n-grams.

    Attributes:
        settings: validated training options.
        pretrained: the base.
        before: a fine-tuned model of that base that is continued; None for none.
    """

    settings: TrainingSettings
    pretrained: Base
    before: bundle.Bundle | None = None

    @property
    def loading_s(self) -> float:
        """The shortest time for loading Keras and tracing the base's layers."""
        return 5.0 + self.pretrained.spec.layers

    @property
    def tokenizer(self) -> Tokenizer:
        """The base's tokenizer."""
        return self.pretrained.tokenizer

    def first_look(self, corpus: PreparedCorpus, started: float, *, network: bool) -> tuple[TunedSpec, Start]:
        """Return the shape of what is trained, and the state before the first step.

        Args:
            corpus: the tokens to train on.
            started: `time.monotonic` when the training began.
            network: whether a network will be trained, for which the memory must suffice.

        Raises:
            OutOfMemoryError: the memory is too small.
        """
        base, settings = self.pretrained, self.settings
        if network:
            tuning_memory.check(base, settings, len(corpus.training), memory.available())
        return tuning_start.first_look(
            corpus, base, settings.rank, settings.random_seed, self.before, started
        )

    def plan(self, result: Result) -> Plan:
        """Return the plan for the loop; Keras must be loaded."""
        from textgen.training.tuning import network

        return network.plan(result, self.pretrained)


Approach = FromNothing | FineTuning


def choose(base: Path | None, flags: Mapping[str, Any]) -> Approach:
    """Return how to train.

    Args:
        base: the folder of a bundle, or the name of a base of this host; a folder that exists wins. None for
            a new network.
        flags: see `TrainingSettings.from_flags`.

    Raises:
        BundleError: there is neither such a folder nor such a base, or it is damaged.
        SettingsError: a flag does not fit, or is outside its bounds.
    """
    if base is None:
        return FromNothing(TrainingSettings.from_flags(**flags))
    if not base.exists() and store.is_name(str(base)):
        pretrained = store.find(str(base))
        return FineTuning(tuning_settings.settings_of(pretrained, flags), pretrained)
    before = bundle.read(base)
    if before.base is None:
        return FromNothing(fine_tuning.settings_of(before, flags), before)
    settings = tuning_settings.settings_of(before.base, flags)
    settings = replace(settings, base=fine_tuning.fingerprint(before))
    return FineTuning(settings, before.base, before)
