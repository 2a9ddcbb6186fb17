"""The picture of a training's losses, with what it shows in words for people who do not see it."""

import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.bundles import inspect
from bot.i18n import _
from bot.infra.storage.storage import Storage
from bot.text import card_style
from models import TrainingJob
from textgen.files.bundle_files import PICTURE


@dataclass(frozen=True)
class Losses:
    """A point of a curve.

    Attributes:
        seconds: since the training began.
        training: nats per token; None: not measured then.
        validation: nats per token; None: not measured then.
    """

    seconds: float
    training: float | None
    validation: float | None


def files_of_job(job: TrainingJob, picture: bytes | None) -> list[discord.File]:
    """Return the picture of a training's losses as a file, described by its row; none without a picture."""
    return _files(picture, [Losses(*point) for point in json.loads(job.curve)])


def files_of_bundle(storage: Storage, key: str, picture: bytes | None) -> list[discord.File]:
    """Return the picture of a stored bundle's losses as a file, described by its manifest; blocks.

    Args:
        storage: has the bundle.
        key: of the bundle.
        picture: PNG; None: there is none, nor is there a file.
    """
    if picture is None:
        return []
    try:
        with storage.lease(key) as bundle:
            history = inspect.history(bundle)
    except OSError:  # it was deleted since its picture was read
        history = []
    return _files(picture, _of_history(history))


def curve_words(points: Sequence[Losses]) -> str:
    """What the picture of these points shows, in a sentence or two with figures."""
    validation = [point.validation for point in points if point.validation is not None]
    training = [point.training for point in points if point.training is not None]
    if not validation and not training:
        return _("Curve of the losses of a training.")
    parts = []
    if validation:
        parts.append(
            _(
                "Curve of the validation loss over {duration}: from {first} to {last}, at its lowest {best}."
            ).format(
                duration=card_style.duration(points[-1].seconds),
                first=card_style.nats(validation[0]),
                last=card_style.nats(validation[-1]),
                best=card_style.nats(min(validation)),
            )
        )
    if training:
        parts.append(
            _("The training loss went from {first} to {last}.").format(
                first=card_style.nats(training[0]), last=card_style.nats(training[-1])
            )
        )
    return " ".join(parts)


def _files(picture: bytes | None, points: Sequence[Losses]) -> list[discord.File]:
    if picture is None:
        return []
    return [discord.File(io.BytesIO(picture), filename=PICTURE, description=curve_words(points))]


def _of_history(history: Sequence[Any]) -> list[Losses]:
    # A manifest may come from elsewhere: what is no point is left out.
    return [
        Losses(float(seconds), _number(entry.get("training_loss")), _number(entry.get("validation_loss")))
        for entry in history
        if isinstance(entry, dict) and (seconds := _number(entry.get("seconds"))) is not None
    ]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return None
    return number if math.isfinite(number) else None
