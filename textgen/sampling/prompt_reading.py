"""A prompt that is being read, a part of it at each step of the texts that are being written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from textgen.inference import State, Stepper
from textgen.sampling.request import Request


@dataclass(slots=True, eq=False)
class Reading:
    """A prompt that is being read, for one request or several."""

    requests: list[Request]
    prompt: npt.NDArray[np.intp]
    stepper: Stepper
    state: State
    position: int = 0

    @property
    def over(self) -> bool:
        """Whether only the last token is left; the first step of writing feeds it."""
        return self.position == len(self.prompt) - 1

    def read(self, budget: int) -> int:
        """Read at most ``budget`` tokens and return the number that was read."""
        chunk = self.prompt[self.position : min(self.position + budget, len(self.prompt) - 1)]
        if len(chunk):
            self.stepper.features(chunk[None], self.state)
        self.position += len(chunk)
        return len(chunk)
