"""The picture of a running training's loss, drawn anew now and then without taking much of its time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from textgen.errors import BundleError
from textgen.files.bundle_files import PICTURE

_SHORTEST_S = 3.0
_SHARE = 0.04


class Curve:
    """Draws at most so often that the training hardly notices.

    Args:
        unit: what a token is called: "character" or "token".
        limit_s: how long the training may take, which is how wide the picture is; None for no limit.
    """

    def __init__(self, unit: str, limit_s: float | None) -> None:
        """Begin with nothing drawn."""
        self._unit, self._limit_s = unit, limit_s
        self._next_at = 0.0

    def draw(
        self, history: Sequence[dict[str, float]], folder: Path, *, at_once: bool = False
    ) -> Path | None:
        """Write the picture into a folder if it is time to.

        Args:
            history: as a manifest keeps it.
            folder: where.
            at_once: do not wait until it is time.

        Returns:
            The picture, or None if none was written. A disk that refuses ends no training.
        """
        begun = time.monotonic()
        if not history or (begun < self._next_at and not at_once):
            return None
        # Matplotlib takes half a second to import, so only who wants a picture pays for it.
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
