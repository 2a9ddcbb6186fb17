"""The picture of a running training's losses, drawn from time to time at little cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from textgen.errors import BundleError
from textgen.files.bundle_files import PICTURE

_SHORTEST_S = 3.0
_SHARE = 0.04


class Curve:
    """Draws the losses so rarely that the training is hardly slowed down.

    Args:
        unit: name of a token: "character" or "token".
        limit_s: time limit of the training in seconds, the width of the time axis; None for none.
    """

    def __init__(self, unit: str, limit_s: float | None) -> None:
        """Start without a picture."""
        self._unit, self._limit_s = unit, limit_s
        self._next_at = 0.0

    def draw(
        self, history: Sequence[dict[str, float]], folder: Path, *, at_once: bool = False
    ) -> Path | None:
        """Write the picture into a folder if it is due.

        Args:
            history: losses over time, see `textgen.bundle.Manifest`.
            folder: the folder, created if needed.
            at_once: whether to draw even if it is not due.

        Returns:
            The picture's path, or None if none was written. A disk error does not end the training.
        """
        begun = time.monotonic()
        if not history or (begun < self._next_at and not at_once):
            return None
        # Matplotlib takes half a second to import, so it is imported only for a picture.
        from textgen.training.reporting.plotting import write_loss_curve

        path = folder / PICTURE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_loss_curve(history, path, unit=self._unit, limit_s=self._limit_s)
        except (BundleError, OSError):
            return None
        now = time.monotonic()
        self._next_at = now + max(_SHORTEST_S, (now - begun) / _SHARE)
        return path
