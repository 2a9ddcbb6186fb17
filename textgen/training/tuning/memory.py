"""Estimates the memory of a fine-tuning before it starts, and refuses one that does not fit."""

from __future__ import annotations

from textgen.errors import OutOfMemoryError
from textgen.pretrained.base import Base
from textgen.pretrained.spec import KERNELS, LlamaSpec
from textgen.settings.training import TrainingSettings
from textgen.training.tuning.windows import fit_to_corpus

# The backend, the base as it is served (for samples), and its tokenizer.
_FRAMEWORK_BYTES = 800 << 20
# The base is kept in 32-bit floats: on a CPU they are multiplied fastest.
_BYTES_A_FROZEN_NUMBER = 4
# A number, its gradient, the optimizer's two averages, the best ones so far, and copies for a checkpoint.
_BYTES_A_TRAINED_NUMBER = 4 * 8
# What a layer keeps of each token for the backward pass, as multiples of its widths. Measured: 1.07 GB for
# 256 tokens and 30 layers of width 576 and inner width 1,536, less the logits.
_WIDTHS, _INNER_WIDTHS, _SCORES = 14, 10, 2
_BYTES_OF_LOGITS = 200 << 20
_SHORT = 64


def estimate(spec: LlamaSpec, trained: int, batch: int, length: int) -> int:
    """Return the estimated memory of a fine-tuning in bytes, the framework included.

    Args:
        spec: sizes of the base.
        trained: number of trained numbers.
        batch: windows of a batch.
        length: tokens of a window.
    """
    a_token = _WIDTHS * spec.width + _INNER_WIDTHS * spec.inner + _SCORES * spec.heads * length
    kept = 4 * batch * length * spec.layers * a_token
    weights = _BYTES_A_FROZEN_NUMBER * spec.parameters + _BYTES_A_TRAINED_NUMBER * trained
    return _FRAMEWORK_BYTES + weights + kept + _BYTES_OF_LOGITS


def trained_numbers(spec: LlamaSpec, rank: int) -> int:
    """Return how many numbers an adapter has."""
    shapes = spec.shapes()
    return spec.layers * rank * sum(sum(shapes[f"layer0.{kernel}"]) for kernel in KERNELS)


def check(base: Base, settings: TrainingSettings, tokens: int, free: int | None) -> None:
    """Refuse a fine-tuning that does not fit into the memory.

    Args:
        base: the base.
        settings: of the fine-tuning.
        tokens: length of the training text, in tokens.
        free: free memory in bytes; None if it is not known.

    Raises:
        OutOfMemoryError: the memory is too small.
        TrainingError: the text is too short.
    """
    batch, length = fit_to_corpus(tokens, settings.batch_size, settings.seq_length)
    trained = trained_numbers(base.spec, settings.rank)
    needed = estimate(base.spec, trained, batch, length)
    if free is None or needed <= free:
        return
    smaller = estimate(base.spec, trained, 1, _SHORT)
    raise OutOfMemoryError(
        f"fine-tuning {base.about.name} needs about {needed / 1e9:.1f} GB in batches of {batch} × {length} "
        f"tokens, and {free / 1e9:.1f} GB are free",
        advice=["lower --batch-size", "--seq-length"] if smaller <= free else ["choose a smaller base"],
    )
