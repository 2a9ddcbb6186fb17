"""Bundles with random weights: everything about a bundle but its training can be tested with one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from textgen import bundle
from textgen.bundle import Bundle, Manifest
from textgen.bundle.tuned import rounded
from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.inference import State
from textgen.model import TextModel
from textgen.network.spec import NetworkSpec
from textgen.pretrained.base import Base
from textgen.pretrained.tuned.spec import MIXTURE, TunedSpec
from textgen.tokenizers import CharacterTokenizer, Tokenizer

SYMBOLS = "etaoinshrdlu ,.\nABCé"


def random_bundle(
    cell: str = "lstm",
    *,
    units: int = 24,
    seeds: tuple[str, ...] = ("the end", "A din"),
    tokenizer: Tokenizer | None = None,
) -> Bundle:
    tokenizer = tokenizer or CharacterTokenizer(SYMBOLS, lowercase=False)
    if cell == "linear":
        spec = NetworkSpec(cell, tokenizer.size, units, units, layers=2, expansion=2, prior=4)
    else:
        spec = NetworkSpec(cell, tokenizer.size, embedding=12, units=units, layers=2)
    random = np.random.default_rng(5)
    weights = {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in spec.shapes().items()}
    manifest = manifest_of(spec, seeds)
    text = random.integers(0, tokenizer.size, 300)
    experts: tuple[Expert, ...] = (KneserNey.count(text, tokenizer.size, 4),) if spec.prior else ()
    return Bundle(spec, tokenizer, weights, manifest, experts)


def manifest_of(spec: NetworkSpec | TunedSpec, seeds: tuple[str, ...] = ()) -> Manifest:
    """What a bundle of characters says of a training that there never was."""
    return Manifest(
        level="char",
        cell=spec.cell,
        parameters=spec.parameters,
        vocabulary=spec.vocabulary,
        characters=1_000,
        corpus_sha256="0" * 64,
        validation_loss=1.5,
        steps=10,
        seconds=1.0,
        device="cpu",
        created_at="2026-01-01T00:00:00+00:00",
        stopped="epochs",
        textgen_version="0",
        seeds=list(seeds),
    )


def write_random_bundle(path: Path, cell: str = "lstm", *, units: int = 24) -> Bundle:
    made = random_bundle(cell, units=units)
    bundle.write(path, made)
    return made


def write_tuned_bundle(path: Path, base: Base, random_seed: int) -> TextModel:
    """Write a base with a random change and the n-grams of a random text, and load it."""
    random = np.random.default_rng(random_seed)
    counted = KneserNey.count(
        random.integers(3, base.spec.vocabulary, 900), base.spec.vocabulary, 2 + random_seed % 3
    )
    spec = TunedSpec(base.about.name, base.sha256, base.spec, rank=1 + random_seed, prior=counted.order)
    weights = {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in spec.shapes().items()}
    weights[MIXTURE] = random.uniform(0.3, 0.7, weights[MIXTURE].shape).astype(np.float32)
    manifest = replace(manifest_of(spec), level=base.tokenizer.level)
    bundle.write(path, Bundle(spec, base.tokenizer, rounded(weights), manifest, (counted,), base=base))
    return TextModel.load(path)


class SpellingModel(TextModel):
    """A model that writes a given text, whatever its seed, and then for ever its last token."""

    def __init__(self, text: str, tokenizer: Tokenizer | None = None, level: str = "char") -> None:
        made = random_bundle()
        super().__init__(replace(made, manifest=replace(made.manifest, level=level)))
        self.written = text
        self.tokenizer = tokenizer or CharacterTokenizer(
            "".join(dict.fromkeys(SYMBOLS + text)), lowercase=False
        )
        self.stepper = _Speller(self.tokenizer.encode(text).tolist(), self.tokenizer.size)


class _Speller:
    def __init__(self, tokens: list[int], vocabulary: int) -> None:
        self.spec = NetworkSpec("lstm", vocabulary)
        self._tokens = tokens

    def initial_state(self, batch: int) -> State:
        return [np.zeros((batch, 1), np.float32)]

    def step(self, tokens: npt.NDArray[np.intp], state: State) -> npt.NDArray[np.float64]:
        (position,) = state
        logits = np.zeros((len(tokens), self.spec.vocabulary))
        written = np.minimum(position[:, 0].astype(int), len(self._tokens) - 1)
        logits[np.arange(len(tokens)), np.array(self._tokens)[written]] = 1_000.0
        position += 1
        return logits

    def features(self, tokens: npt.NDArray[np.intp], state: State) -> npt.NDArray[np.float64]:
        return np.zeros((*tokens.shape, 1))

    def logits(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.zeros((*features.shape[:-1], self.spec.vocabulary))
