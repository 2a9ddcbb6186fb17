"""Models with counts and random weights, their pages, and Node to run them."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import playwright

from tests.support.textgen.bundles import manifest_of
from textgen.bundle import Bundle
from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long
from textgen.experts.words import Words
from textgen.experts.words.contexts import kinds_of
from textgen.network.spec import NetworkSpec
from textgen.tokenizers import CharacterTokenizer
from textgen.webpage import Shown, page_of

_DRIVER = Path(__file__).with_name("page_in_node.js")


# Playwright, which the development lock has, brings a Node of its own, so no test of a page is skipped.
NODE = Path(playwright.__file__).parent / "driver" / "node"


def counted_bundle(
    text: str, *, units: int = 16, seeds: tuple[str, ...] = ("The king", "A dog "), **sizes: Any
) -> Bundle:
    """Return a model of a text that knows what was counted, and whose network is random."""
    tokenizer = CharacterTokenizer.train(text, lowercase=False)
    sizes = {"prior": 6, "experts": ("words",), **sizes}
    spec = NetworkSpec("linear", tokenizer.size, units, units, layers=2, **sizes)
    draw = np.random.default_rng(7)
    weights = {name: draw.normal(0, 0.2, shape).astype(np.float32) for name, shape in spec.shapes().items()}
    tokens = tokenizer.encode(text)
    experts: list[Expert] = []
    if spec.prior:
        weights["prior.bias"] = np.full_like(weights["prior.bias"], 1 / len(spec.mixed))
        experts.append(KneserNey.count(tokens, tokenizer.size, spec.prior))
    if "words" in spec.experts:
        names = [tokenizer.name_of(token) for token in range(tokenizer.size)]
        experts.append(Words.count(tokens, tokenizer.size, kinds_of(names)))
    if "long" in spec.experts:
        experts.append(Long.count(tokens, tokenizer.size))
    return Bundle(spec, tokenizer, weights, manifest_of(spec, seeds), tuple(experts))


def page_at(path: Path, bundle: Bundle) -> Path:
    """Write a bundle's page to a file and return it."""
    path.write_bytes(page_of(bundle, Shown("A model")))
    return path


def in_node(page: Path, jobs: list[dict[str, Any]]) -> list[Any]:
    """Return what a page's engine answers in Node."""
    command = [str(NODE), str(_DRIVER), str(page)]
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def babel(characters: int) -> str:
    """Return a text of many scripts: joined marks, flags, ideographs, and more than 256 symbols."""
    draw = random.Random(3)
    words = ["naïve", "e\u0301te\u0301", "🇩🇪🇫🇷", "👩‍👩‍👧", "नमस्ते", "ภาษา", "don't", "x_1", "3.14"]
    words += [chr(0x4E00 + number) for number in range(300)]
    found = ""
    while len(found) < characters:
        found += draw.choice(words) + draw.choice([" ", " ", "\n", ", ", ""])
    return found
