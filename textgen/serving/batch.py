"""Models in memory, and the batches in which their texts are written."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from textgen.model import TextModel
from textgen.sampling.engine import Engine
from textgen.sampling.request import Request
from textgen.serving.judging import Judging
from textgen.serving.protocol import Job
from textgen.serving.scoring import Scoring


@dataclass(slots=True, eq=False)
class Batch:
    """Texts that are written together: those of one model, or of all fine-tunings of one base.

    Attributes:
        engine: writes them.
        step_s: seconds of a step, averaged.
        user: whose turn the last request takes.
        jobs: the job of each text.
        readings: texts that are only read.
    """

    engine: Engine
    step_s: float = 0.0
    user: str = ""
    jobs: dict[Request, Job] = field(default_factory=dict)
    readings: deque[Scoring | Judging] = field(default_factory=deque)

    @property
    def idle(self) -> bool:
        """Whether it has nothing to do."""
        return self.engine.idle and not self.readings

    def step(self) -> list[Request]:
        """Write a token of each text, and return the texts that are complete; their jobs are still there."""
        begun = time.perf_counter()
        finished = self.engine.step()
        self.step_s += (time.perf_counter() - begun - self.step_s) / 16
        return finished

    def cancel(self, identity: str) -> None:
        """Drop a request."""
        for request in [request for request, job in self.jobs.items() if job.identity == identity]:
            del self.jobs[request]
            self.engine.cancel(request)
        self.readings = deque(each for each in self.readings if each.identity != identity)


@dataclass(slots=True, eq=False)
class Loaded:
    """A model in memory.

    Attributes:
        model: the model.
        batch: where its texts are written.
        load_s: seconds that loading took.
    """

    model: TextModel
    batch: Batch
    load_s: float

    @property
    def idle(self) -> bool:
        """Whether no text of it is being written or read."""
        jobs, readings = self.batch.jobs.values(), self.batch.readings
        return not any(each.model is self.model for each in (*jobs, *readings))


def together(model: TextModel) -> str:
    """Return what models have in common whose texts can be one batch; empty for a model that has none such.

    These are the fine-tunings of one base.
    """
    return getattr(model.stepper, "together", "")
