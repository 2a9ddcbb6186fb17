"""A text as one model reads it: part by part, with what each of its words costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from textgen.corpus import normal_form
from textgen.errors import SettingsError
from textgen.model import TextModel
from textgen.sampling.engine import READ_AT_ONCE

SHORTEST_TEXT = 20
"""Characters. In a shorter text even its author's model is right by chance alone."""

_BEFORE = "\n"
# An excess above this share of the held-out loss, beyond chance, belongs to none of the models' authors.
NONE_SHARE = 0.3
_NONE_ERRORS = 2.0
_LOGITS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How well one model predicts a text.

    Attributes:
        model: its place in the list of models that was given.
        nats_per_word: mean negative natural-log probability, over words.
        expected_per_word: the same as its held-out text has on average, for words of this length.
        excess_per_word: the difference; the models are ranked by it.
        excess: the difference, over tokens.
        error: standard error of ``excess`` that the length of the text leaves.
        unlike: the excess is too high for a text of its author.
        words: for each word of the text its nats, and those of held-out text of as many tokens. A word is
            what stands between white space; the white space before it belongs to it.
    """

    model: int
    nats_per_word: float
    expected_per_word: float
    excess_per_word: float
    excess: float
    error: float
    unlike: bool
    words: tuple[tuple[float, float], ...]


class Reading:
    """Reads one text with one model; `advance` until it is `over`.

    Attributes:
        text: the text in the normal form of corpora, without white space at its ends.
        as_read: the same as the model writes it, for example lower-cased.
    """

    def __init__(self, text: str, model: TextModel) -> None:
        """Begin before the first token.

        Raises:
            SettingsError: the text is too short, or the model has no held-out loss.
        """
        self.text = normal_form(text).strip()
        if len(self.text) < SHORTEST_TEXT:
            raise SettingsError(
                "the text has {characters} characters; at least {least} are needed to tell who wrote it",
                characters=len(self.text),
                least=SHORTEST_TEXT,
            )
        self._loss = model.manifest.validation_loss
        if self._loss <= 0:
            raise SettingsError("a model has no loss on held-out text, so its likelihoods mean nothing here")
        self._model, self._state = model, model.stepper.initial_state(1)
        # A text begins where a line does, so its first token has a probability, too.
        self._tokens = model.tokenizer.encode(model.tokenizer.normalize(_BEFORE + self.text))
        decoder = model.tokenizer.decoder()
        self._pieces = []
        for token in self._tokens:
            decoder.feed(int(token))
            self._pieces.append(decoder.latest)
        self.as_read = model.tokenizer.decode(self._tokens.tolist()).strip()
        self._nats: list[float] = []
        self._at_once = max(1, min(READ_AT_ONCE, _LOGITS_AT_ONCE // model.tokenizer.size))

    @property
    def over(self) -> bool:
        """Whether all tokens have been read."""
        return len(self._nats) >= len(self._tokens) - 1

    def advance(self) -> None:
        """Read the next tokens."""
        begin = len(self._nats)
        window = self._tokens[begin : begin + self._at_once + 1]
        self._nats += (-self._model.log_probabilities_of(window, self._state)).tolist()

    def likelihood(self, number: int) -> Likelihood:
        """Return how well the model predicts the text, once it is `over`.

        Args:
            number: the model's place in a list.

        Raises:
            SettingsError: the text has no token that a model could predict.
        """
        nats = np.array(self._nats)
        if not len(nats):
            raise SettingsError("the text has no token that a model could predict")
        words = max(1, len(self.text.split()))
        excess = float(nats.mean()) - self._loss
        error = float(nats.std()) / math.sqrt(len(nats))
        places = _words_of(self._pieces, words)[1:]
        of_words = np.bincount(places, nats, minlength=words)
        expected = np.bincount(places, minlength=words) * self._loss
        return Likelihood(
            model=number,
            nats_per_word=float(nats.sum()) / words,
            expected_per_word=self._loss * len(nats) / words,
            excess_per_word=excess * len(nats) / words,
            excess=excess,
            error=error,
            unlike=excess - _NONE_ERRORS * error > NONE_SHARE * self._loss,
            words=tuple(zip(of_words.tolist(), expected.tolist(), strict=True)),
        )


def _words_of(pieces: list[str], words: int) -> list[int]:
    """Return for each token the number of the word that it belongs to.

    Args:
        pieces: the text that each token adds.
        words: number of words of the text. Where the tokens spell another number, such as at word level
            where marks stand apart, they are spread in proportion.
    """
    places, begun, inside = [], 0, False
    for piece in pieces:
        # What a token begins with decides: the space before a word belongs to the word.
        goes_on = not piece or (inside and not piece[0].isspace())
        places.append(max(0, begun - 1) if goes_on else begun)
        if piece:
            begun += len(piece.split()) - goes_on
            inside = not piece[-1].isspace()
    spelled = max(1, begun)
    if spelled != words:
        places = [place * words // spelled for place in places]
    return [min(place, words - 1) for place in places]
