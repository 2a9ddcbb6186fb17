"""The scores of a seed, read part by part, so that the texts of others are written in between."""

from __future__ import annotations

from typing import Any

import numpy as np

from textgen.inference.scores import Scores
from textgen.model import TextModel
from textgen.sampling import SamplingSettings
from textgen.sampling.engine import READ_AT_ONCE
from textgen.sampling.prompt_end import whole_prompt

_LOGITS_AT_ONCE = 1_000_000


class Scoring:
    """Reads one seed.

    Every token is predicted from all before it, as in `TextModel.log_probabilities`; the first has no score.

    Attributes:
        identity: the request's id.
        model: reads the seed.
        seed: the seed as the model reads it.
        tokens: number of its tokens.
    """

    def __init__(
        self, identity: str, model: TextModel, seed: str, settings: SamplingSettings, top: int
    ) -> None:
        """Begin before the first token.

        Args:
            identity: the request's id.
            model: the model.
            seed: as typed; "" takes the line start that a text with these settings would continue.
            settings: sampling settings.
            top: how many of the likeliest tokens are kept for each place.

        Raises:
            SettingsError: the model cannot read the seed.
        """
        self.identity, self.model = identity, model
        self.seed = model.request(seed, settings)[1]
        self._tokens = whole_prompt(self.seed, model.tokenizer).astype(np.intp)
        self.tokens = len(self._tokens)
        self._stepper, self._state = model.stepper, model.stepper.initial_state(1)
        self._scores = Scores(model.tokenizer, None, top)
        self._decoder = model.tokenizer.decoder()
        self._at_once = max(1, min(READ_AT_ONCE, _LOGITS_AT_ONCE // model.tokenizer.size))
        self._position = 0

    @property
    def over(self) -> bool:
        """Whether all tokens have their scores."""
        return self._position == self.tokens

    def advance(self) -> list[dict[str, Any]]:
        """Read the next tokens and return the answers about them."""
        if self._position == 0:
            self._add()
        chunk = self._tokens[self._position - 1 : -1][: self._at_once]
        if len(chunk):
            logits = self._stepper.logits(self._stepper.features(chunk[None], self._state)[0])
            for row in logits:
                self._scores.look(row)
                self._add()
        scores = self._scores.take(len(self.seed), ended=True)
        told: list[dict[str, Any]] = []
        if scores:
            told.append({"id": self.identity, "scores": list(map(list, scores))})
        if self.over:
            told.append({"id": self.identity, "seed": self.seed, "tokens": [self.tokens, 0]})
        return told

    def _add(self) -> None:
        token = int(self._tokens[self._position])
        self._decoder.feed(token)
        self._scores.add(token, self._decoder.latest)
        self._position += 1
