"""The loss of a training over time as a picture. Needs Matplotlib, which nothing else here imports."""

from __future__ import annotations

from pathlib import Path

from textgen.bundle import Manifest
from textgen.errors import BundleError


def write_loss_curve(manifest: Manifest, path: Path) -> None:
    """Draw validation loss over seconds, in nats per token, as a PNG.

    Raises:
        BundleError: the bundle has no history, or the file cannot be written.
    """
    if not manifest.history:
        raise BundleError("the bundle keeps no history of its training; there is nothing to draw")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seconds = [entry["seconds"] for entry in manifest.history]
    losses = [entry["validation_loss"] for entry in manifest.history]
    # Without pyplot there is no global state and no display to look for.
    figure = Figure(figsize=(6.4, 3.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(seconds, losses, marker="." if len(losses) < 50 else "", color="#6d4aff", linewidth=1.8)
    best = min(range(len(losses)), key=losses.__getitem__)
    axes.annotate(
        f"{losses[best]:.3f}",
        (seconds[best], losses[best]),
        textcoords="offset points",
        xytext=(0, 8),
        ha="center",
    )
    axes.set_xlabel("seconds")
    axes.set_ylabel(f"validation loss, nats per {'character' if manifest.level == 'char' else 'token'}")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(path)
    except OSError as error:
        raise BundleError(f"{path} cannot be written: {error.strerror}") from None
