"""A bundle in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.bundle.manifest import Manifest
from textgen.corpus.known_lines import KnownLines
from textgen.experts.kneser_ney import KneserNey
from textgen.network.spec import NetworkSpec
from textgen.pretrained.base import Base
from textgen.pretrained.tuned.spec import TunedSpec
from textgen.tokenizers import Tokenizer

Weights = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle in memory.

    Attributes:
        spec: shape of the network; of a fine-tuned base, shape of what was added to it.
        tokenizer: turns text into tokens and back.
        weights: the parameters, under the names of the spec's ``shapes``.
        manifest: what the bundle says about itself.
        counted: the n-gram model; None if the network uses none.
        known: the lines of a corpus with one item a line; None for other corpora.
        base: the base that was fine-tuned, which is no part of the bundle; None for a network of its own.
    """

    spec: NetworkSpec | TunedSpec
    tokenizer: Tokenizer
    weights: Weights
    manifest: Manifest
    counted: KneserNey | None = None
    known: KnownLines | None = None
    base: Base | None = None
