"""The loss of a training over time as a picture. Needs Matplotlib, which nothing else here imports."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgen.errors import BundleError
from textgen.files import atomic
from textgen.host import extras

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VIOLET = "#8f7cf7"
_AMBER = "#f0b232"
# Readable on Discord's dark and light backgrounds alike, as the picture itself has none.
_INK = "#949ba4"
_FAINT = "#80848e"
_DPI = 100
_HEAD = 1024

# Steps of a clock, in seconds, and how many are shown at most.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400)
_MOST_STEPS = 8


def write_loss_curve(
    history: Sequence[dict[str, float]], path: Path, *, unit: str, limit_s: float | None = None
) -> None:
    """Draw a training's losses for a dark or light page: 900 × 300 pixels without a background.

    Args:
        history: as a manifest keeps it; the training loss is drawn where it is there.
        path: the PNG.
        unit: what a token is called.
        limit_s: the right edge, so that what is still to come is seen as room; None ends at the last point.

    Raises:
        BundleError: there is no history, Matplotlib does not load, or the file cannot be written.
        MissingPackageError: Matplotlib is not installed.
    """
    if not history:
        raise BundleError("there is no history; there is nothing to draw")
    extras.require("matplotlib", "a picture of the loss")
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator
    except (ImportError, ValueError, OSError) as error:
        # The environment may name a backend that there is none of, or hold settings that are none.
        raise BundleError(f"Matplotlib cannot be loaded ({' '.join(str(error).split())[:200]})") from None
    minutes = [entry["seconds"] / 60 for entry in history]
    validation = [entry["validation_loss"] for entry in history]
    training = [
        (entry["seconds"] / 60, entry["training_loss"]) for entry in history if "training_loss" in entry
    ]
    # Without pyplot there is no global state and no display to look for.
    figure = Figure(figsize=(9.0, 3.0), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    if training:
        axes.plot(*zip(*training, strict=True), color=_AMBER, linewidth=2.0, alpha=0.75, label="training")
    axes.plot(minutes, validation, color=_VIOLET, linewidth=3.4, solid_capstyle="round", label="validation")
    shown = validation + [loss for _, loss in training]
    low, high = min(shown), max(shown)
    margin = max(0.12 * (high - low), 0.02)
    axes.set_ylim(low - margin, high + margin)
    axes.fill_between(minutes, validation, low - margin, color=_VIOLET, alpha=0.12, linewidth=0)
    right = max(minutes[-1], (limit_s or 1) / 60)
    # What was spent before the first step is no part of the curve.
    left = min(minutes[0], 0.9 * right)
    axes.set_xlim(left, right + 0.02 * (right - left))
    axes.plot(minutes[-1], validation[-1], "o", color=_VIOLET, markersize=9)
    _label(axes, minutes[-1], validation[-1], late=minutes[-1] > right - 0.15 * (right - left))
    axes.grid(axis="y", color=_FAINT, alpha=0.22, linewidth=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=_FAINT, alpha=0.5)
    axes.tick_params(colors=_INK, labelsize=14, length=0, pad=6)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MultipleLocator(_step(right - left)))
    axes.xaxis.set_major_formatter(FuncFormatter(_clock))
    axes.set_title(f"Loss in nats per {unit}", loc="left", color=_INK, fontsize=15, pad=12)
    if training:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, labelcolor=_INK, fontsize=14
        )
    _save(figure, path)


def is_curve(path: Path) -> bool:
    """Return whether a file is a picture that Matplotlib drew, as `write_loss_curve` does."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return False
    return head.startswith(b"\x89PNG") and b"Software\0Matplotlib" in head and not path.is_symlink()


def _label(axes: Any, minute: float, loss: float, *, late: bool) -> None:
    axes.annotate(
        f"{loss:.3f}",
        (minute, loss),
        textcoords="offset points",
        xytext=(-4 if late else 12, 14 if late else 8),
        ha="right" if late else "left",
        color=_VIOLET,
        fontsize=18,
        fontweight="bold",
    )


def _step(minutes: float) -> float:
    """Return how far apart the times below the picture are, in minutes."""
    step = next((step for step in _STEPS if minutes * 60 / step <= _MOST_STEPS), _STEPS[-1])
    return step / 60


def _clock(minutes: float, _position: int) -> str:
    seconds = round(minutes * 60)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def _save(figure: Figure, path: Path) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", transparent=True)
    try:
        atomic.write_bytes(path, picture.getvalue())
    except OSError as error:
        raise BundleError(f"{path} cannot be written: {error.strerror}") from None
