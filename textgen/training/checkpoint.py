"""A training's whole state in one file: what is needed to go on to the same weights, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from textgen import files
from textgen.errors import TrainingError
from textgen.training.progress import Progress

_BEST = "best."
_ANEW = ("train without --resume",)


Arrays = dict[str, npt.NDArray[Any]]


def values(variables: Sequence[keras.Variable]) -> list[npt.NDArray[Any]]:
    """Return copies of what variables hold."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def save(
    path: Path,
    variables: Sequence[keras.Variable],
    progress: Progress,
    best: Arrays,
    fingerprint: dict[str, Any],
) -> None:
    """Write a checkpoint; the one before stays until this one is complete.

    Args:
        path: the file.
        variables: everything that a step reads and changes, always in the same order.
        progress: where the training stands.
        best: the weights with the lowest validation loss.
        fingerprint: what a resumed training must agree with.

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
        files.write_bytes(path, safetensors.numpy.save(arrays, metadata))
    except OSError as error:
        raise TrainingError(f"the checkpoint {path} cannot be written: {error.strerror}") from None


def restore(
    path: Path, variables: Sequence[keras.Variable], fingerprint: dict[str, Any]
) -> tuple[Progress, Arrays]:
    """Put a checkpoint back into the variables of a compiled model.

    Returns:
        Where the training stood, and the best weights until then.

    Raises:
        TrainingError: the file is damaged, or belongs to another corpus or other settings.
    """
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata()
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- it is no mapping
        found = json.loads(metadata["fingerprint"])
        progress = Progress(**json.loads(metadata["progress"]))
    except (OSError, safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"the checkpoint {path} is damaged ({error})", advice=_ANEW) from None
    if found != json.loads(json.dumps(fingerprint)):
        changed = sorted(name for name in fingerprint if found.get(name) != fingerprint[name])
        raise TrainingError(
            f"the checkpoint {path} belongs to a training with another {', '.join(changed)}",
            advice=_ANEW,
        )
    for name, variable in _named(variables):
        if name not in arrays or arrays[name].shape != tuple(variable.shape):
            raise TrainingError(f"the checkpoint {path} lacks {name}", advice=_ANEW)
        variable.assign(arrays[name])
    return progress, {
        name.removeprefix(_BEST): array for name, array in arrays.items() if name.startswith(_BEST)
    }


def _named(variables: Sequence[keras.Variable]) -> list[tuple[str, keras.Variable]]:
    # Keras numbers some paths by how many models a process has built, so the order alone identifies.
    return [(f"variable{index:04d}", variable) for index, variable in enumerate(variables)]
