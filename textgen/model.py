"""A trained model, ready to write: what `textgen.load` returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from textgen import bundle as bundles
from textgen.corpus import normalize_seed
from textgen.engine import Engine, Request
from textgen.errors import SettingsError
from textgen.inference import log_softmax, make_stepper
from textgen.sampling import SamplingSettings
from textgen.tokenizers import Tokens

MAXIMUM_SEED_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A written text and what is needed to write it again.

    Attributes:
        text: what the model wrote, without the seed.
        seed: the text it started from.
        random_seed: with the same settings and seed it gives the same text.
    """

    text: str
    seed: str
    random_seed: int


class TextModel:
    """A model in memory, about eight bytes for each parameter."""

    def __init__(self, bundle: bundles.Bundle) -> None:
        """Take a bundle that has been read."""
        self.manifest = bundle.manifest
        self.spec = bundle.spec
        self.tokenizer = bundle.tokenizer
        self.stepper = make_stepper(bundle.spec, bundle.weights)

    @classmethod
    def load(cls, path: str | Path) -> TextModel:
        """Load a bundle.

        Raises:
            BundleError: it is absent, damaged, or of a newer format.
        """
        return cls(bundles.read(Path(path)))

    def engine(self) -> Engine:
        """Return an engine that writes many texts of this model together."""
        return Engine(self.stepper)

    def request(self, seed: str, settings: SamplingSettings) -> tuple[Request, str]:
        """Return a request for an engine, and the seed text that it starts from.

        Args:
            seed: the text to go on from; "" takes one of the corpus' line starts by the random seed.
            settings: how to draw.

        Raises:
            SettingsError: the seed is too long or holds symbols that the model has never seen.
        """
        settings = settings.seeded()
        seed = self.check_seed(seed) or self._own_seed(settings.random_seed or 0)
        # With neither a seed nor a line start the model begins a line of its own.
        prompt = self.tokenizer.encode(seed or "\n")
        return Request(prompt, settings), seed

    def check_seed(self, seed: str) -> str:
        """Return a seed text as the model reads it.

        Raises:
            SettingsError: it is too long or holds symbols that the model has never seen.
        """
        seed = normalize_seed(seed)
        if len(seed) > MAXIMUM_SEED_CHARACTERS:
            raise SettingsError(
                f"the seed has {len(seed):,} characters; at most {MAXIMUM_SEED_CHARACTERS:,} are read"
            )
        unseen = self.tokenizer.unseen(seed)
        if unseen:
            shown = " ".join(repr(symbol) for symbol in unseen[:10])
            raise SettingsError(
                f"the model has never seen {shown}; write the seed with symbols of its corpus"
            )
        return self.tokenizer.normalize(seed)

    def generate(
        self, seed: str = "", *, length: int = 500, temperature: float = 0.7, random_seed: int | None = None
    ) -> str:
        """Write a text.

        Args:
            seed: the text to go on from; it is not repeated in the result.
            length: number of characters.
            temperature: 0 takes the likeliest token each time.
            random_seed: the same one gives the same text.

        Raises:
            SettingsError: a value lies outside its bounds, or the seed holds unseen symbols.
        """
        return self.sample(seed, SamplingSettings(length, temperature, random_seed)).text

    def sample(self, seed: str, settings: SamplingSettings) -> Sample:
        """Write a text and return it with the seeds it came from."""
        settings = settings.seeded()
        request, seed = self.request(seed, settings)
        engine = self.engine()
        engine.submit(request)
        while not engine.idle:
            engine.step()
        return Sample(self.tokenizer.decode(request.written), seed, settings.random_seed or 0)

    def stream(self, seed: str, settings: SamplingSettings) -> Iterator[str]:
        """Write a text piece by piece, as `sample` would."""
        request, _ = self.request(seed, settings)
        engine = self.engine()
        engine.submit(request)
        while not engine.idle:
            before = len(request.written)
            engine.step()
            if len(request.written) > before:
                yield self.tokenizer.decode(request.written[before:])

    def log_probabilities(self, text: str) -> npt.NDArray[np.float64]:
        """Return the natural log of each token's probability given those before it.

        Returns:
            Shape (tokens - 1,): there is none for the first token.
        """
        return self.log_probabilities_of(self.tokenizer.encode(text))

    def log_probabilities_of(self, tokens: Tokens) -> npt.NDArray[np.float64]:
        """Return what `log_probabilities` does, for a text that is already in tokens."""
        state = self.stepper.initial_state(1)
        result = np.empty(max(0, len(tokens) - 1))
        for position in range(len(result)):
            logits = self.stepper.step(tokens[position : position + 1].astype(np.intp), state)
            result[position] = log_softmax(logits)[0, tokens[position + 1]]
        return result

    def next_token(self, text: str) -> dict[str, float]:
        """Return the probability of each token after a text; they sum to 1.

        Raises:
            SettingsError: the text is empty.
        """
        if not text:
            raise SettingsError("the text is empty; the next token needs at least one character before it")
        state = self.stepper.initial_state(1)
        logits = np.zeros((1, self.spec.vocabulary))
        for token in self.tokenizer.encode(text).astype(np.intp):
            logits = self.stepper.step(np.array([token]), state)
        probabilities = np.exp(log_softmax(logits)[0])
        return {self.tokenizer.decode([token]): float(p) for token, p in enumerate(probabilities)}

    def _own_seed(self, random_seed: int) -> str:
        seeds = [
            seed for seed in self.manifest.seeds if isinstance(seed, str) and not self.tokenizer.unseen(seed)
        ]
        return self.tokenizer.normalize(seeds[random_seed % len(seeds)]) if seeds else ""
