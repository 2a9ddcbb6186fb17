"""The batches of a training, in order. Each is prepared while the network learns from the previous one."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from textgen.training.plan import Batch, Trainee, Windows


class Batches:
    """Prepares the inputs and targets of each step, in a thread.

    Args:
        windows: the windows of the text.
        trainee: arranges the inputs that it needs.
        random_seed: decides dropout.
    """

    def __init__(self, windows: Windows, trainee: Trainee, random_seed: int) -> None:
        """Start without a prepared batch."""
        self._windows, self._trainee, self._random_seed = windows, trainee, random_seed
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._ready: tuple[int, Future[Batch]] | None = None

    def of(self, step: int) -> Batch:
        """Return the inputs and targets of a step, and start to prepare those of the next."""
        ready, self._ready = self._ready, None
        batch = ready[1].result() if ready is not None and ready[0] == step else self._arranged(step)
        self._ready = step + 1, self._worker.submit(self._arranged, step + 1)
        return batch

    def _arranged(self, step: int) -> Batch:
        # Each step has its own generator, so a resumed training draws the same numbers.
        random = np.random.default_rng((self._random_seed, step))
        windows = self._windows.windows(step, self._trainee.before)
        return self._trainee.arrange(windows, random)

    def close(self) -> None:
        """Stop the thread."""
        self._worker.shutdown(cancel_futures=True)
