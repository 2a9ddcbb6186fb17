"""A pretrained base as a model of its own: what it writes before it has read a corpus."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from textgen.bundle.manifest import Manifest
from textgen.experts.expert import Expert
from textgen.files.bases import LLAMA
from textgen.files.bundle_files import NEWEST_SAMPLING
from textgen.network.cells.cell import Weights
from textgen.pretrained.base import Base
from textgen.pretrained.spec import LlamaSpec
from textgen.pretrained.tokenizer import BaseTokenizer


@dataclass(frozen=True, slots=True)
class Untrained:
    """A base with the parts of a `Bundle`. It has neither a corpus nor line starts, and is never written.

    Attributes:
        base: the base.
        manifest: the base's sizes; everything about a training is empty.
    """

    base: Base
    manifest: Manifest
    weights: Weights = field(default_factory=dict)
    experts: tuple[Expert, ...] = ()
    known: None = None

    @classmethod
    def of(cls, base: Base) -> Untrained:
        """Return a base as a model."""
        manifest = Manifest(
            level=base.tokenizer.level,
            cell=LLAMA,
            parameters=base.spec.parameters,
            vocabulary=base.spec.vocabulary,
            characters=0,
            corpus_sha256="",
            validation_loss=0.0,
            steps=0,
            seconds=0.0,
            device="",
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            stopped="",
            textgen_version="",
            sampling=NEWEST_SAMPLING,
        )
        return cls(base, manifest)

    @property
    def fingerprint(self) -> str:
        """The base's hash, which decides its texts."""
        return self.base.sha256

    @property
    def spec(self) -> LlamaSpec:
        """The base's sizes."""
        return self.base.spec

    @property
    def tokenizer(self) -> BaseTokenizer:
        """The base's tokenizer."""
        return self.base.tokenizer
