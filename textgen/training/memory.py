"""Estimates the memory of a training before it starts, and refuses one that does not fit."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from textgen.errors import OutOfMemoryError
from textgen.network.spec import NetworkSpec
from textgen.settings.training import TrainingSettings
from textgen.training.data.strips import fit_to_corpus

# A weight, its gradient, the optimizer's two averages and that of the weights, the best weights so far, and a
# copy of all of them while a checkpoint is written; all in 32-bit floats.
_BYTES_A_PARAMETER = 4 * 10
# Logits, their softmax and their gradient.
_BYTES_A_LOGIT = 4 * 3
_FRAMEWORK_BYTES = 600 << 20

_CONTROL_GROUP = Path("/sys/fs/cgroup")
_MEMORY = Path("/proc/meminfo")


def estimate(spec: NetworkSpec, batch: int, length: int) -> int:
    """Return the estimated memory of a training in bytes, the framework included.

    Args:
        spec: the network.
        batch: number of strips that are trained side by side.
        length: tokens of a window.
    """
    # The probabilities of an expert are as large as the logits, and the next batch has its own.
    logits = batch * length * spec.vocabulary * (1 + len(spec.mixed))
    states = batch * length * spec.units * spec.layers * (4 + 2 * spec.expansion)
    return _FRAMEWORK_BYTES + _BYTES_A_PARAMETER * spec.parameters + _BYTES_A_LOGIT * logits + 8 * states


def available(memory: Path = _MEMORY, group: Path = _CONTROL_GROUP) -> int | None:
    """Return the bytes of memory that are free for this process, or None if the system does not say.

    Args:
        memory: the kernel's file about the machine's memory.
        group: the folder of the container's limits.
    """
    free = []
    # Not every system has both files. What has been read until one is missing counts.
    with suppress(OSError, ValueError):
        account = memory.read_text(encoding="ascii").split()
        free.append(int(account[account.index("MemAvailable:") + 1]) << 10)
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        if limit != "max":
            account = (group / "memory.stat").read_text(encoding="ascii").split()
            # Cached pages of files count as used, but the kernel frees them when it needs memory.
            files = int(account[account.index("file") + 1])
            used = int((group / "memory.current").read_text(encoding="ascii")) - files
            free.append(int(limit) - used)
    return min(free, default=None)


def check(settings: TrainingSettings, vocabulary: int, tokens: int, free: int | None) -> None:
    """Refuse a training that does not fit into the memory.

    Args:
        settings: of the training.
        vocabulary: number of tokens.
        tokens: length of the training text, in tokens.
        free: free memory in bytes; None if it is not known.

    Raises:
        SettingsError: the network has too many parameters.
        OutOfMemoryError: the memory is too small.
        TrainingError: the text is too short.
    """
    batch, length = fit_to_corpus(tokens, settings.batch_size, settings.seq_length)
    needed = estimate(settings.network(vocabulary), batch, length)
    if free is not None and needed > free:
        raise OutOfMemoryError(
            f"a vocabulary of {vocabulary:,} tokens needs about {needed / 1e9:.1f} GB in batches of "
            f"{batch} × {length}, and {free / 1e9:.1f} GB are free",
            advice=["lower --vocab-size", "--batch-size", "--seq-length"],
        )
