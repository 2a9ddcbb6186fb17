"""How likely a model wrote a text, read part by part, so that the texts of others are written in between."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from textgen.errors import SettingsError
from textgen.evaluation.authorship.reading import Reading
from textgen.model import TextModel

MOST_CHARACTERS = 20_000
"""Preparing a text takes a moment that nothing interrupts, so it is bounded."""


class Judging:
    """Reads one text with one model.

    Attributes:
        identity: the request's id.
        model: reads the text.
    """

    def __init__(self, identity: str, model: TextModel, text: str) -> None:
        """Begin before the first token.

        Raises:
            SettingsError: the text is too short or too long, or the model has no held-out loss.
        """
        self.identity, self.model = identity, model
        if len(text) > MOST_CHARACTERS:
            raise SettingsError(
                "the text has {characters} characters; up to {most} can be read here",
                characters=len(text),
                most=MOST_CHARACTERS,
            )
        self._reading = Reading(text, model)

    @property
    def over(self) -> bool:
        """Whether the whole text has been read."""
        return self._reading.over

    def advance(self) -> list[dict[str, Any]]:
        """Read the next tokens, and return the answer if these were the last.

        Raises:
            SettingsError: the text has no token that the model could predict.
        """
        if not self.over:
            self._reading.advance()
        if not self.over:
            return []
        told = asdict(self._reading.likelihood(0))
        del told["model"]
        answer = {"id": self.identity, "words": self._reading.text.split(), "likelihood": told}
        return [answer | {"as_read": self._reading.as_read}]
