"""Bundles with random weights: everything about a bundle but its training can be tested with one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from textgen import bundle
from textgen.bundle import Bundle, Manifest
from textgen.spec import Cell, NetworkSpec
from textgen.tokenizers import CharacterTokenizer

SYMBOLS = "etaoinshrdlu ,.\nABCé"


def random_bundle(
    cell: Cell = "lstm", *, units: int = 24, seeds: tuple[str, ...] = ("the end", "A din")
) -> Bundle:
    tokenizer = CharacterTokenizer(SYMBOLS, lowercase=False)
    spec = NetworkSpec(cell, tokenizer.size, embedding=12, units=units, layers=2)
    random = np.random.default_rng(5)
    weights = {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in spec.shapes().items()}
    manifest = Manifest(
        level="char",
        cell=cell,
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
    return Bundle(spec, tokenizer, weights, manifest)


def write_random_bundle(path: Path, cell: Cell = "lstm") -> Bundle:
    made = random_bundle(cell)
    bundle.write(path, made)
    return made
