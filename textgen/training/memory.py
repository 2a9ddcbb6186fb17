"""How much memory a training will take, told before it is taken.

With many words it is not the text that fills the memory but the output layer: its weights, and the
logits of every position of a batch.
"""

from __future__ import annotations

from pathlib import Path

from textgen.errors import TrainingError
from textgen.spec import NetworkSpec

_FLOAT = 4
_COPIES_OF_A_WEIGHT = 5
"""The weight, its gradient, two averages of the optimizer, and the best so far."""
_COPIES_OF_A_LOGIT = 3
"""The logit, its probability and its gradient."""

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def needed_bytes(spec: NetworkSpec, batch: int, length: int) -> int:
    """Return about how many bytes a training takes beside Keras itself.

    Args:
        spec: the network.
        batch: texts side by side.
        length: tokens of a window.
    """
    logits = batch * length * spec.vocabulary
    return _FLOAT * (_COPIES_OF_A_WEIGHT * spec.parameters + _COPIES_OF_A_LOGIT * logits)


def available_bytes() -> int | None:
    """Return how many bytes this process may still take, or None where that cannot be known."""
    found = []
    try:
        fields = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
        found.append(int(fields["MemAvailable"].split()[0]) * 1024)
        limit = (_CGROUP / "memory.max").read_text().strip()
        if limit != "max":
            found.append(int(limit) - int((_CGROUP / "memory.current").read_text()))
    except (OSError, ValueError, KeyError):
        # Another system, or a container without its own limit.
        pass
    return min(found, default=None)


def check_memory(spec: NetworkSpec, batch: int, length: int) -> None:
    """Refuse a training that does not fit.

    Raises:
        TrainingError: it needs more memory than is free.
    """
    needed, available = needed_bytes(spec, batch, length), available_bytes()
    if available is not None and needed > available:
        raise TrainingError(
            f"this training needs about {needed / 2**30:.1f} GiB of memory and {available / 2**30:.1f} GiB "
            f"are free; try a --vocab-size below {spec.vocabulary:,}, or a smaller --batch-size or --rnn-size"
        )
