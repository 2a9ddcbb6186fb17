"""The batches of a training, in order, each made ready while the network learns from the one before."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np

from textgen.training.data.strips import Strips
from textgen.training.network import Batch, Network


class Batches:
    """Gives a step's inputs and targets; to be used as a context.

    Args:
        strips: where the windows come from.
        network: which inputs it wants.
        random_seed: decides dropout.
    """

    def __init__(self, strips: Strips, network: Network, random_seed: int) -> None:
        """Have nothing ready."""
        self._strips, self._network, self._random_seed = strips, network, random_seed
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._ready: tuple[int, Future[Batch]] | None = None

    def __enter__(self) -> Batches:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread."""
        self._worker.shutdown(cancel_futures=True)

    def of(self, step: int) -> Batch:
        """Return a step's inputs and targets, and begin with those of the next."""
        ready, self._ready = self._ready, None
        batch = ready[1].result() if ready is not None and ready[0] == step else self._arranged(step)
        self._ready = step + 1, self._worker.submit(self._arranged, step + 1)
        return batch

    def _arranged(self, step: int) -> Batch:
        # A generator for each step: a resumed training draws what an uninterrupted one would.
        random = np.random.default_rng((self._random_seed, step))
        windows = self._strips.windows(step % self._strips.batches, self._network.before)
        return self._network.arrange(windows, random)
