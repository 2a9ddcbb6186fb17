"""The file of a checkpoint: with a hash of its content, and with the previous checkpoint beside it.

This module must not know the content, nor import Keras: modules without Keras need the files' names.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy.typing as npt
import safetensors
import safetensors.numpy

from textgen.errors import TrainingError
from textgen.files import atomic
from textgen.files.output_folder import Output
from textgen.files.ownership import discard_checkpoint

NAME = "state.safetensors"

NONE_THERE = "there is no checkpoint to resume: this training starts anew"
"""The note of a training that was asked to resume and could not."""

Arrays = dict[str, npt.NDArray[Any]]

_SEAL = "sha256"
_OPENING = f'"{_SEAL}":"'.encode()
_DIGITS = 64
_LENGTH_BYTES = 8
_LARGEST_HEADER = 64 << 20
_AT_ONCE = 1 << 20


class DamagedCheckpointError(TrainingError):
    """A checkpoint is absent or damaged."""


def path_for(output: Path) -> Path:
    """Return the path of the checkpoint of a training that writes a bundle to ``output``."""
    return Output.of(output).checkpoint / NAME


def before(path: Path) -> Path:
    """Return the path of the previous checkpoint."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def is_there(path: Path) -> bool:
    """Whether there is a checkpoint to resume from: this one, or the previous one."""
    return path.exists() or before(path).exists()


def damaged(path: Path) -> Path:
    """Return the path where a damaged checkpoint is kept for inspection."""
    return path.with_name(f"{path.stem}.damaged{path.suffix}")


def write(path: Path, arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]) -> None:
    """Write a checkpoint; an existing one becomes the previous checkpoint.

    Only one process at a time may call this, so a fixed temporary name is enough: the file that a killed
    process leaves is overwritten by the next.

    Raises:
        OSError: the disk refuses; both checkpoints are unchanged.
    """
    data = memoryview(safetensors.numpy.save(dict(arrays), {**metadata, _SEAL: "0" * _DIGITS}))
    header = int.from_bytes(data[:_LENGTH_BYTES], "little")
    place = _place_of_seal(bytes(data[: _LENGTH_BYTES + header]))
    seal = hashlib.sha256(data).hexdigest().encode()
    begun = path.with_name(f"{path.stem}.next{path.suffix}")
    try:
        with begun.open("wb") as stream:
            stream.writelines((data[:place], seal, data[place + _DIGITS :]))
            atomic.sync(stream)
        _keep(path)
        begun.replace(path)
    except BaseException:
        begun.unlink(missing_ok=True)
        raise
    atomic.sync_folder(path.parent)


def read(path: Path) -> tuple[dict[str, str], Arrays]:
    """Return a checkpoint's metadata and arrays.

    The hash is compared piece by piece before anything is parsed, so damage costs little memory.

    Raises:
        DamagedCheckpointError: the file is absent or damaged.
    """
    try:
        _check_seal(path)
        with safetensors.safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- it is no mapping
            return file.metadata(), arrays
    except FileNotFoundError:
        raise DamagedCheckpointError(f"the checkpoint {path} is not there") from None
    except (OSError, safetensors.SafetensorError, ValueError) as error:
        raise DamagedCheckpointError(f"the checkpoint {path} is damaged ({error})") from None


def go_back(path: Path) -> None:
    """Replace a damaged checkpoint with the previous one.

    Raises:
        OSError: the disk refuses.
    """
    put_aside(path)
    before(path).replace(path)
    atomic.sync_folder(path.parent)


def put_aside(path: Path) -> None:
    """Rename a damaged checkpoint, to keep it for inspection.

    Raises:
        OSError: the disk refuses.
    """
    with suppress(FileNotFoundError):
        path.replace(damaged(path))


def discard(folder: Path) -> None:
    """Delete a checkpoint's folder, except for a damaged checkpoint, which is kept for inspection."""
    discard_checkpoint(folder, keep=damaged(folder / NAME))


def _keep(path: Path) -> None:
    """Link a checkpoint to the previous one's name, so that there is a checkpoint at every moment."""
    kept = before(path)
    link = path.with_name(f"{path.stem}.link{path.suffix}")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except FileNotFoundError:
        return
    except OSError:  # a file system without hard links
        with suppress(FileNotFoundError):
            path.replace(kept)
        return
    link.replace(kept)


def _check_seal(path: Path) -> None:
    """Compare a file with the hash that it contains. The hash was computed with zeros in its own place."""
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        length = stream.read(_LENGTH_BYTES)
        header = int.from_bytes(length, "little")
        if header > min(size - _LENGTH_BYTES, _LARGEST_HEADER):
            raise ValueError(f"it has {size:,} bytes, fewer than it says")
        head = length + stream.read(header)
        place = _place_of_seal(head)
        said = head[place : place + _DIGITS]
        digest = hashlib.sha256(head[:place] + b"0" * _DIGITS + head[place + _DIGITS :])
        while piece := stream.read(_AT_ONCE):
            digest.update(piece)
    if digest.hexdigest().encode() != said:
        raise ValueError("its hash is another one")


def _place_of_seal(head: bytes) -> int:
    if head.count(_OPENING) != 1:
        raise ValueError("it has no hash")
    return head.index(_OPENING) + len(_OPENING)
