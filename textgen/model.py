"""A trained model in memory, which writes texts: the result of `textgen.load`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack, overload

import numpy as np
import numpy.typing as npt

from textgen import bundle as bundles
from textgen.argument_checks import as_path, checked_text
from textgen.bundle.stepping import stepper_of
from textgen.bundle.untrained import Untrained
from textgen.corpus import normal_form
from textgen.corpus.known_lines import KnownLines
from textgen.errors import BundleError, SettingsError
from textgen.experts.registry import from_arrays, to_arrays
from textgen.inference import State, log_softmax
from textgen.levels import SPELLING
from textgen.network.spec import NetworkSpec
from textgen.pretrained import store
from textgen.pretrained.spec import LlamaSpec
from textgen.pretrained.tuned.spec import TunedSpec
from textgen.sampling import Corpora, Novelty, Passages, SamplingKeywords, SamplingSettings
from textgen.sampling.engine import READ_AT_ONCE, Engine
from textgen.sampling.prompt_end import open_prompt, whole_prompt
from textgen.sampling.request import Request
from textgen.sampling.sample import Sample
from textgen.sampling.typed_text import Typed, read_seed, read_stop
from textgen.tokenizers import Tokens
from textgen.tokenizers import from_json as tokenizer_from_json

_LOGITS_AT_ONCE = 8_000_000


class TextModel:
    """A model in memory that writes texts and predicts tokens.

    Example:
        >>> model = textgen.load("model")
        >>> text = model.generate("To be", length=50, temperature=0.7, random_seed=7)
        >>> text == "".join(model.stream("To be", length=50, temperature=0.7, random_seed=7))
        True
    """

    parts: tuple[TextModel, ...] = ()  # of a blend: its two models,
    mix: float = 0.0  # and the share of the second

    def __init__(self, bundle: bundles.Bundle | Untrained) -> None:
        """Prepare the network of a bundle.

        Args:
            bundle: the result of `textgen.bundle.read`, or a base as it is.
        """
        self.manifest = bundle.manifest
        self.spec: NetworkSpec | TunedSpec | LlamaSpec = bundle.spec
        self.tokenizer = bundle.tokenizer
        self.fingerprint = bundle.fingerprint
        self._bundle, self._known = bundle, bundle.known
        self.stepper = stepper_of(bundle)

    @property
    def memory(self) -> int:
        """Approximate bytes of memory."""
        made = self._bundle
        return (
            12 * sum(array.size for array in made.weights.values())
            + sum(expert.memory for expert in made.experts)
            + (made.known.keys.nbytes if made.known else 0)
            + (made.base.memory if made.base else 0)
        )

    @property
    def knows_lines(self) -> bool:
        """Whether the model knows which lines stand in its corpus."""
        return self._known is not None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy the model as its bundle: plain data that is checked again when it is read."""
        made = self._bundle
        if isinstance(made, Untrained):
            return TextModel.of_base, (made.base.sha256,)
        counts = to_arrays(made.experts) if made.experts else None
        lines = made.known.to_arrays() if made.known else None
        # The tokenizer of a fine-tuned base comes with the base, which has a place of its own.
        tokenizer = None if made.base else made.tokenizer.to_json()
        parts = tokenizer, dict(made.weights), made.manifest, counts, lines, made.fingerprint
        return _unpickled, (made.spec.to_json(), *parts)

    @classmethod
    def load(cls, path: str | Path) -> TextModel:
        """Load a bundle.

        Raises:
            BundleError: it is absent, damaged, or of a newer format.
        """
        return cls(bundles.read(as_path(path, "bundle", BundleError)))

    @classmethod
    def of_base(cls, name_or_hash: str) -> TextModel:
        """Return a pretrained base as it is: it has neither a corpus nor line starts.

        Args:
            name_or_hash: its name or its SHA-256 (`textgen.pretrained.store`).

        Raises:
            BundleError: it is not on this host, or is damaged.
        """
        return cls(Untrained.of(store.find(name_or_hash)))

    def engine(self) -> Engine:
        """Return an engine that writes many texts of this model in one batch."""
        return Engine(self.stepper)

    def request(self, seed: str, settings: SamplingSettings, corpora: Corpora = ()) -> tuple[Request, str]:
        """Return a request for an engine, and the seed that it continues.

        Args:
            seed: the text to continue, as typed (`textgen.sampling.typed_text`). "" chooses one of the line
                starts of the corpus by the random seed, or a fresh line if the corpus has one item per line.
            settings: sampling settings; ``count`` is ignored.
            corpora: the text repeats no long passage of these (`textgen.sampling.novelty.passages`).

        Raises:
            SettingsError: the seed is too long, nothing is left of it, or it holds unseen symbols that the
                settings refuse.
        """
        settings = settings.seeded()
        typed = read_seed(seed, self.tokenizer, settings.unseen)
        if not seed and self._line_starts and not self.manifest.items:
            typed = Typed(self._line_starts[(settings.random_seed or 0) % len(self._line_starts)])
        read = {stop: read_stop(stop, self.tokenizer) for stop in settings.stop}
        prompt, rest = open_prompt(typed.text, self.tokenizer)
        wanted = self.manifest.items if settings.novel is None else settings.novel
        known, line = self._known if wanted else None, typed.text.rsplit("\n", 1)[-1]
        lines = None if known is None else Novelty(known, line, hopeless=settings.temperature == 0)
        spells = self.manifest.level in SPELLING
        novelty = Passages(corpora, known, line, spells, in_seed=bool(rest)) if corpora else lines
        request = Request(
            prompt,
            replace(settings, stop=tuple(text for text, written in read.values() if written)),
            self.tokenizer,
            typed.text,
            typed.unseen,
            typed.folded,
            tuple(stop for stop, (_, written) in read.items() if not written),
            novelty,
            rest,
            self.manifest.sampling,
        )
        return request, typed.text

    def requests(self, seed: str, settings: SamplingSettings, corpora: Corpora = ()) -> list[Request]:
        """Return ``settings.count`` requests; see `request`."""
        return [self.request(seed, candidate, corpora)[0] for candidate in settings.candidates()]

    def check_seed(self, seed: str) -> str:
        """Return a seed as the model reads it.

        Raises:
            SettingsError: it is too long, or the model knows nothing of it.
        """
        return read_seed(seed, self.tokenizer, SamplingSettings().unseen).text

    @overload
    def generate(self, seed: str = "", **controls: Unpack[SamplingKeywords]) -> str: ...
    @overload
    def generate(
        self, seed: str = "", *, count: int, **controls: Unpack[SamplingKeywords]
    ) -> str | list[str]: ...
    def generate(
        self, seed: str = "", *, count: int = 1, **controls: Unpack[SamplingKeywords]
    ) -> str | list[str]:
        """Write a text, or several.

        Args:
            seed: the text to continue; it is not repeated in the result. "" takes a line start of the
                corpus.
            count: number of texts, written in one batch.
            **controls: the other fields of `textgen.sampling.SamplingSettings`, where each is described.

        Returns:
            The text, or a list of texts if ``count`` is above 1. `samples` returns more about each text.

        Raises:
            SettingsError: a value lies outside its bounds, or the model knows nothing of the seed.
        """
        settings = SamplingSettings.of({"count": count, **controls})
        texts = [sample.text for sample in self.samples(seed, settings)]
        return texts if settings.count > 1 else texts[0]

    def stream(self, seed: str = "", **controls: Unpack[SamplingKeywords]) -> Iterator[str]:
        """Write a text piece by piece: together the pieces are what `generate` returns.

        Each piece ends at the boundary of a grapheme cluster. A piece that may be the beginning of a stop
        sequence is held back until that is decided.

        Raises:
            SettingsError: a value lies outside its bounds, or the model knows nothing of the seed.
        """
        settings = SamplingSettings.of(controls)
        return self.stream_of(self.request(seed, settings)[0])

    def sample(self, seed: str, settings: SamplingSettings, corpora: Corpora = ()) -> Sample:
        """Write a text and return it with its seeds; ``settings.count`` is ignored. See `request`."""
        return self.samples(seed, replace(settings, count=1), corpora)[0]

    def samples(self, seed: str, settings: SamplingSettings, corpora: Corpora = ()) -> list[Sample]:
        """Write ``settings.count`` texts in one batch; see `request`."""
        requests, engine = self.requests(seed, settings, corpora), self.engine()
        for request in requests:
            engine.submit(request)
        while not engine.idle:
            engine.step()
        return [Sample.of(request) for request in requests]

    def stream_of(self, request: Request) -> Iterator[str]:
        """Write the text of a request piece by piece; afterwards `Sample.of` returns the whole sample."""
        engine = self.engine()
        engine.submit(request)
        while not engine.idle:
            engine.step()
            piece = request.take()
            if piece:
                yield piece

    def log_probabilities(self, text: str) -> npt.NDArray[np.float64]:
        """Return the natural logarithm of each token's probability, given the tokens before it.

        Args:
            text: it is brought into the normal form of corpora; symbols that the model does not know count as
                unknown tokens.

        Returns:
            Shape (tokens - 1,): the first token has no probability.
        """
        return self.log_probabilities_of(self.tokenizer.encode(normal_form(checked_text(text, "text"))))

    def log_probabilities_of(self, tokens: Tokens, state: State | None = None) -> npt.NDArray[np.float64]:
        """Return the same for an encoded text, shape (tokens,), that follows what ``state`` has read."""
        state = self.stepper.initial_state(1) if state is None else state
        result = np.empty(max(0, len(tokens) - 1))
        # The logits of all tokens that are read at once must fit into memory.
        at_once = max(1, min(READ_AT_ONCE, _LOGITS_AT_ONCE // self.spec.vocabulary))
        for start in range(0, len(result), at_once):
            window = tokens[start : start + at_once + 1].astype(np.intp)
            logits = self.stepper.logits(self.stepper.features(window[None, :-1], state)[0])
            result[start : start + at_once] = log_softmax(logits)[np.arange(len(window) - 1), window[1:]]
        return result

    def next_token(self, text: str) -> dict[str, float]:
        """Return the probability of each token after a text; the probabilities sum to 1.

        Args:
            text: it is read and folded like a seed, but symbols that the model does not know stay unknown.

        Raises:
            SettingsError: the text is empty.
        """
        text, _ = self.tokenizer.fold(normal_form(checked_text(text, "text")))
        if not text:
            raise SettingsError("the text is empty; the next token needs at least one character before it")
        state = self.stepper.initial_state(1)
        tokens = whole_prompt(text, self.tokenizer).astype(np.intp)
        for start in range(0, len(tokens), READ_AT_ONCE):
            features = self.stepper.features(tokens[None, start : start + READ_AT_ONCE], state)
        probabilities = np.exp(log_softmax(self.stepper.logits(features[0, -1])))
        return {self.tokenizer.name_of(token): float(p) for token, p in enumerate(probabilities)}

    @cached_property
    def _line_starts(self) -> list[str]:
        seeds = [seed for seed in self.manifest.seeds if isinstance(seed, str)]
        return [self.tokenizer.seed_text(seed) for seed in seeds if not self.tokenizer.unseen(seed)]


def _unpickled(
    spec: Any,
    tokenizer: Any,
    weights: dict[str, npt.NDArray[np.float32]],
    manifest: bundles.Manifest,
    counts: dict[str, npt.NDArray[Any]] | None,
    lines: dict[str, npt.NDArray[Any]] | None,
    fingerprint: str,
) -> TextModel:
    tuned = TunedSpec.from_json(spec) if TunedSpec.describes(spec) else None
    base = store.find(tuned.base_sha256) if tuned else None
    network = tuned or NetworkSpec.from_json(spec)
    experts = from_arrays(network.vocabulary, network.prior, network.experts, counts) if counts else ()
    known = KnownLines.from_arrays(lines) if lines is not None else None
    tokens = base.tokenizer if base else tokenizer_from_json(tokenizer)
    return TextModel(bundles.Bundle(network, tokens, weights, manifest, experts, known, base, fingerprint))
