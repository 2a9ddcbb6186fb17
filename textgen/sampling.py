"""From logits to a token: the settings of a sample and the choice itself."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, replace

import numpy as np

from textgen.errors import SettingsError
from textgen.inference.numerics import Float64
from textgen.tokenizers import UNKNOWN

MAXIMUM_LENGTH = 1_000_000
MAXIMUM_TEMPERATURE = 10.0
MAXIMUM_RANDOM_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How a text is drawn from a model.

    Attributes:
        length: number of characters to write, or of words at word level.
        temperature: logits are divided by it; below 1 the likely becomes likelier, and 0 always
            takes the likeliest token.
        random_seed: the same seed, bundle and settings give the same text; None draws one.

    Raises:
        SettingsError: a value lies outside its bounds.
    """

    length: int = 500
    temperature: float = 0.7
    random_seed: int | None = None

    def __post_init__(self) -> None:
        """Check every bound."""
        if not _is_whole(self.length) or not 1 <= self.length <= MAXIMUM_LENGTH:
            raise SettingsError(
                f"length is {self.length!r}; it must be a whole number from 1 to {MAXIMUM_LENGTH:,}"
            )
        temperature = self.temperature
        if (
            isinstance(temperature, bool)
            or not isinstance(temperature, int | float)
            or not math.isfinite(temperature)
        ):
            raise SettingsError(
                f"temperature is {temperature!r}; it must be a number from 0 to {MAXIMUM_TEMPERATURE}"
            )
        if not 0 <= temperature <= MAXIMUM_TEMPERATURE:
            raise SettingsError(
                f"temperature is {temperature!r}; it must lie from 0 to {MAXIMUM_TEMPERATURE}"
            )
        seed = self.random_seed
        if seed is not None and (not _is_whole(seed) or not 0 <= seed <= MAXIMUM_RANDOM_SEED):
            raise SettingsError(
                f"the random seed is {seed!r}; it must be a whole number from 0 to {MAXIMUM_RANDOM_SEED}"
            )

    def seeded(self) -> SamplingSettings:
        """Return the settings with a random seed: the given one, or a fresh one that is short to type."""
        return self if self.random_seed is not None else replace(self, random_seed=secrets.randbelow(2**32))


def choose(logits: Float64, settings: SamplingSettings, uniform: float) -> int:
    """Return the next token.

    Args:
        logits: shape (vocabulary,); changed in place.
        settings: how to draw.
        uniform: a random number from 0 up to, but not, 1.
    """
    logits[UNKNOWN] = -np.inf
    if settings.temperature == 0:
        return int(logits.argmax())
    # Subtracting before dividing keeps a temperature of 1e-9 from overflowing.
    weights = np.exp((logits - logits.max()) / settings.temperature)
    cumulative = weights.cumsum()
    token = int(cumulative.searchsorted(uniform * cumulative[-1], side="right"))
    # Rounding may put the last bound below the drawn number: fall back on a token that can be drawn.
    return token if token < len(weights) else int(weights.nonzero()[0][-1])


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
