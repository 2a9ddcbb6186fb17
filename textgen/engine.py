"""Continuous batching: many texts are written together, and each may join or leave between tokens.

A recurrent network carries a state of fixed size, so a text's place in the batch is one row. The
rows are independent and the arithmetic does not depend on their number (`inference.numerics`):
a text comes out the same alone or in company.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from textgen.inference import State, Stepper
from textgen.sampling import SamplingSettings, choose
from textgen.tokenizers import Tokens

LARGEST_BATCH = 64


@dataclass(slots=True, eq=False)
class Request:
    """A text to write.

    Attributes:
        prompt: tokens to read first, at least one.
        settings: with a random seed.
        length_of: returns the length of tokens in the unit of the settings' length.
        written: tokens written so far; it is complete when `done`.
    """

    prompt: Tokens
    settings: SamplingSettings
    length_of: Callable[[list[int]], int] = len
    written: list[int] = field(default_factory=list)
    done: bool = False
    _read: int = 0
    _random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        """Start the request's own random numbers."""
        self._random = np.random.Generator(np.random.PCG64(self.settings.random_seed))

    def next_input(self) -> int:
        """Return the token to feed next: of the prompt first, then the last one written."""
        if self._read < len(self.prompt):
            self._read += 1
            return int(self.prompt[self._read - 1])
        return self.written[-1]

    def accept(self, logits: npt.NDArray[np.float64]) -> None:
        """Draw the next token, once the prompt has been read."""
        if self._read < len(self.prompt):
            return
        self.written.append(choose(logits, self.settings, self._random.random()))
        self.done = self.length_of(self.written) >= self.settings.length


class Engine:
    """Writes texts of one model."""

    def __init__(self, stepper: Stepper) -> None:
        """Begin with no request."""
        self._stepper = stepper
        self._waiting: deque[Request] = deque()
        self._active: list[Request] = []
        self._state: State = stepper.initial_state(0)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to write."""
        return not self._active and not self._waiting

    def submit(self, request: Request) -> None:
        """Let a request join at the next step."""
        self._waiting.append(request)

    def step(self) -> list[Request]:
        """Advance every text by one token and return the requests that this completed."""
        self._admit()
        if not self._active:
            return []
        tokens = np.fromiter((request.next_input() for request in self._active), np.intp, len(self._active))
        logits = self._stepper.step(tokens, self._state)
        for request, row in zip(self._active, logits, strict=True):
            request.accept(row)
        return self._retire()

    def _admit(self) -> None:
        joining = [
            self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_BATCH - len(self._active)))
        ]
        if joining:
            fresh = self._stepper.initial_state(len(joining))
            self._state = [np.concatenate(pair) for pair in zip(self._state, fresh, strict=True)]
            self._active += joining

    def _retire(self) -> list[Request]:
        finished = [request for request in self._active if request.done]
        if finished:
            staying = [row for row, request in enumerate(self._active) if not request.done]
            self._active = [self._active[row] for row in staying]
            self._state = [array[staying] for array in self._state]
        return finished
