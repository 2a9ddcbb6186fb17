"""How much memory a training will need, told before it takes any."""

from __future__ import annotations

from pathlib import Path

from textgen.errors import OutOfMemoryError
from textgen.network.spec import NetworkSpec
from textgen.settings.training import TrainingSettings
from textgen.training.data.strips import fit_to_corpus

# A weight, its gradient, the optimizer's two averages, the best weights so far, and one copy of all
# of it while a checkpoint is written; 32-bit floats.
_BYTES_A_PARAMETER = 4 * 8
# Logits, their softmax and their gradient.
_BYTES_A_LOGIT = 4 * 3
_FRAMEWORK_BYTES = 600 << 20

_CONTROL_GROUP = Path("/sys/fs/cgroup")
_MEMORY = Path("/proc/meminfo")


def estimate(spec: NetworkSpec, batch: int, length: int) -> int:
    """Return about how many bytes a training takes, the framework included.

    Args:
        spec: the network.
        batch: texts side by side.
        length: tokens of a window.
    """
    # What counted n-grams expect is as large as the logits; of both there is one for the next batch.
    logits = batch * length * spec.vocabulary * (2 if spec.prior else 1)
    states = batch * length * spec.units * spec.layers * (4 + 2 * spec.expansion)
    return _FRAMEWORK_BYTES + _BYTES_A_PARAMETER * spec.parameters + _BYTES_A_LOGIT * logits + 8 * states


def available(memory: Path = _MEMORY, group: Path = _CONTROL_GROUP) -> int | None:
    """Return how many bytes this process may still take, or None where the system does not tell.

    Args:
        memory: the kernel's account of the machine.
        group: the container's limits.
    """
    free = []
    try:
        account = memory.read_text(encoding="ascii").split()
        free.append(int(account[account.index("MemAvailable:") + 1]) << 10)
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        if limit != "max":
            account = (group / "memory.stat").read_text(encoding="ascii").split()
            # Pages of files count as used, but the kernel takes them back when it needs them.
            files = int(account[account.index("file") + 1])
            used = int((group / "memory.current").read_text(encoding="ascii")) - files
            free.append(int(limit) - used)
    except (OSError, ValueError):
        # Not every system has both accounts; what was found until here counts.
        return min(free, default=None)
    return min(free, default=None)


def check(settings: TrainingSettings, vocabulary: int, tokens: int, free: int | None) -> None:
    """Refuse a training that the memory is too small for.

    Args:
        settings: of the training.
        vocabulary: number of tokens that there are, which decides most of it.
        tokens: length of the training text.
        free: bytes that there are, or None if that is not known.

    Raises:
        SettingsError: the network is larger than any may be.
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
