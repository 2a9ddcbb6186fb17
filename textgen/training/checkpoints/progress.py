"""The progress of a training, as a checkpoint keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """The progress of a training.

    Attributes:
        epoch: number of finished epochs.
        batch: number of finished batches of the current epoch.
        step: number of optimizer steps.
        elapsed_s: seconds of all runs together.
        before_learning_s: of these, the seconds until the first step was done: loading, counting, compiling.
        best_loss: lowest validation loss so far, in nats per token.
        best_step: the step where it was reached.
        stale: number of validations since then.
        history: losses over time, see `textgen.bundle.Manifest`.
        rate: factor of the learning rate; below 1 if the training diverged and started again.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    before_learning_s: float = 0.0
    best_loss: float = float("inf")
    best_step: int = 0
    stale: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    rate: float = 1.0

    def validated(self, loss: float, seconds: float, training_loss: float | None = None) -> bool:
        """Add a validation loss and the training loss to the history; return whether it is the lowest."""
        entry = {"step": self.step, "seconds": round(seconds, 2), "validation_loss": round(loss, 5)}
        if training_loss is not None:
            entry["training_loss"] = round(training_loss, 5)
        self.history.append(entry)
        if loss < self.best_loss:
            self.best_loss, self.best_step, self.stale = loss, self.step, 0
            return True
        self.stale += 1
        return False
