"""Checkpoints: the whole state of a training, so that a resumed one ends in exactly the same weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from textgen.errors import TrainingError
from textgen.training.checkpoints import checkpoint_file
from textgen.training.checkpoints.checkpoint_file import Arrays, DamagedCheckpointError
from textgen.training.checkpoints.progress import Progress

_BEST = "best."
_ANEW = ("train without --resume",)


def values(variables: Sequence[keras.Variable]) -> list[npt.NDArray[Any]]:
    """Return copies of the variables' values."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def save(
    path: Path,
    variables: Sequence[keras.Variable],
    progress: Progress,
    best: Arrays,
    fingerprint: dict[str, Any],
) -> None:
    """Write a checkpoint, and keep the previous one.

    Args:
        path: the checkpoint's file.
        variables: all that a step reads and changes, always in the same order.
        progress: of the training.
        best: the weights with the lowest validation loss, by name.
        fingerprint: the settings that a resumed training must have too.

    Raises:
        TrainingError: the disk refuses.
    """
    arrays = {name: np.asarray(keras.ops.convert_to_numpy(variable)) for name, variable in _named(variables)}
    arrays |= {f"{_BEST}{name}": array for name, array in best.items()}
    metadata = {
        "progress": json.dumps(asdict(progress)),
        "fingerprint": json.dumps(fingerprint, sort_keys=True),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        checkpoint_file.write(path, arrays, metadata)
    except OSError as error:
        raise TrainingError(f"the checkpoint {path} cannot be written: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Resumed:
    """The result of resuming.

    Attributes:
        progress: the training's progress; None if it starts from the beginning.
        best: the weights with the lowest validation loss so far.
        note: what a user should know.
        damage: "previous" if the newest checkpoint was damaged, "anew" if both were, else "".
    """

    progress: Progress | None = None
    best: Arrays = field(default_factory=dict)
    note: str = ""
    damage: str = ""


def resume(path: Path, variables: Sequence[keras.Variable], fingerprint: dict[str, Any]) -> Resumed:
    """Restore the checkpoint, or the previous one if it is damaged.

    Raises:
        TrainingError: it belongs to another corpus or other settings, or the disk refuses.
    """
    older = checkpoint_file.before(path)
    if not checkpoint_file.is_there(path):
        return Resumed(note=checkpoint_file.NONE_THERE)
    try:
        return Resumed(*restore(path, variables, fingerprint))
    except DamagedCheckpointError as error:
        reason = str(error)
    try:
        try:
            progress, best = restore(older, variables, fingerprint)
        except TrainingError:
            before = "the one before it is no better" if older.exists() else "there is none before it"
            checkpoint_file.put_aside(path)
            return Resumed(note=f"{reason}, and {before}: this training starts anew", damage="anew")
        checkpoint_file.go_back(path)
    except OSError as error:
        raise TrainingError(f"the checkpoint {path} cannot be written: {error.strerror}") from None
    note = f"{reason}: this training goes on from the one before it, of step {progress.step:,}"
    return Resumed(progress, best, note, "previous")


def restore(
    path: Path, variables: Sequence[keras.Variable], fingerprint: dict[str, Any]
) -> tuple[Progress, Arrays]:
    """Restore a checkpoint into the variables of a compiled model.

    Returns:
        The training's progress, and the weights with the lowest validation loss so far.

    Raises:
        DamagedCheckpointError: the file is absent, damaged, or of a version with other variables.
        TrainingError: it belongs to another corpus or other settings.
    """
    metadata, arrays = checkpoint_file.read(path)
    try:
        found = json.loads(metadata["fingerprint"])
        progress = Progress(**json.loads(metadata["progress"]))
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"the checkpoint {path} is of another version ({error})", advice=_ANEW) from None
    if found != json.loads(json.dumps(fingerprint)):
        changed = sorted(name for name in fingerprint if found.get(name) != fingerprint[name])
        raise TrainingError(
            f"the checkpoint {path} belongs to a training with another {', '.join(changed)}",
            advice=_ANEW,
        )
    named = _named(variables)
    if any(name not in arrays or arrays[name].shape != tuple(variable.shape) for name, variable in named):
        # The settings are the same, so what a step reads and changes has become another.
        raise DamagedCheckpointError(f"the checkpoint {path} is of another version of textgen")
    for name, variable in named:
        variable.assign(arrays[name])
    return progress, {
        name.removeprefix(_BEST): array for name, array in arrays.items() if name.startswith(_BEST)
    }


def _named(variables: Sequence[keras.Variable]) -> list[tuple[str, keras.Variable]]:
    # Keras puts the number of built models into some names, so only the order identifies a variable.
    return [(f"variable{index:04d}", variable) for index, variable in enumerate(variables)]
