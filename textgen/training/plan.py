"""The plan of a training: what the loop trains, be it a network from nothing or a change of a base.

Keras takes seconds to import, so it is not imported here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras

Integers = npt.NDArray[np.int32]
Weights = dict[str, npt.NDArray[np.float32]]
Batch = tuple[list[Any], Any]
"""The inputs and targets of a step."""


class Trainee(Protocol):
    """A compiled Keras model whose loss is in nats per token."""

    @property
    def model(self) -> keras.Model:
        """The model, compiled, with its optimizer's variables."""
        ...

    @property
    def before(self) -> int:
        """Number of tokens before a window that its first position needs as context."""
        ...

    def arrange(self, windows: Integers, random: np.random.Generator) -> Batch:
        """Return the inputs and targets of a step.

        Args:
            windows: tokens, shape (batch, before + time + 1).
            random: draws whatever the step draws.
        """
        ...

    def weights(self) -> Weights:
        """Return copies of the trained weights, by name."""
        ...

    def reset_state(self) -> None:
        """Forget what is carried from batch to batch: the text begins again."""
        ...

    def checkpointed(self) -> list[keras.Variable]:
        """Return all that a step reads and changes, always in the same order."""
        ...


class Windows(Protocol):
    """The windows of a text, in batches."""

    @property
    def batch(self) -> int:
        """Number of windows in a batch."""
        ...

    @property
    def length(self) -> int:
        """Number of tokens in a window."""
        ...

    @property
    def batches(self) -> int:
        """Number of batches in a pass over the text."""
        ...

    def windows(self, index: int, before: int = 0) -> Integers:
        """Return a batch's windows, each with the token that follows it.

        Args:
            index: number of the batch since the training began.
            before: number of preceding tokens to add.

        Returns:
            Shape (batch, before + length + 1).
        """
        ...


class Judge(Protocol):
    """Measures how well weights predict the validation text."""

    @property
    def tokens(self) -> int:
        """Number of tokens that a validation reads."""
        ...

    @property
    def final_tokens(self) -> int:
        """Number of tokens that the last validation reads."""
        ...

    def loss(self, weights: Weights, limit: int) -> float:
        """Return nats per token.

        Args:
            weights: the trainee's, those of now or the best of earlier. A judge that fits a part of them to
                the validation text changes it in place.
            limit: number of tokens to read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A training that is ready to begin.

    Attributes:
        trainee: what is trained.
        windows: what it is trained on.
        judge: measures it.
        notes: what a user should know about the training.
    """

    trainee: Trainee
    windows: Windows
    judge: Judge
    notes: list[str] = field(default_factory=list)
