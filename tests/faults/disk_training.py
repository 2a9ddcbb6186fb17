"""ENOSPC and EIO at every change of a file by a training, and small real disks: old or new, never half.

Whatever fails: one line `error: …`, exit code 1, the bundle before readable and whole, no temporary file
left, and once there is room, --resume goes on to a bundle.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from tests.faults.harness import Skipped
from tests.faults.tools import needs, trainings
from tests.faults.tools.faulty_disk import FaultyDisk
from tests.support.textgen.bundles import random_bundle
from textgen import bundle
from textgen.errors import TextgenError

MINUTES = 4.0
_FLAGS = ("--cell", "lstm", "--num-epochs", "2", "--checkpoint-seconds", "0.3", "--curve")
_SIZES_KB = (60, 150, 250, 400, 700, 1_400)
_RESUMED_EVERY = 8


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Let each change fail in a training of its own."""
    nursery = trainings.Nursery(compiled=False)
    old = random_bundle()
    if short:
        every = {errno.ENOSPC: range(30, 31)}  # about where the first checkpoint is written
    else:
        changes, _ = _trained(nursery, folder / "counted", old, 0, errno.ENOSPC)
        every = {errno.ENOSPC: range(1, changes + 1), errno.EIO: range(1, changes + 1, 3)}
    for error, cases in every.items():
        wrong = resumed = not_resumed = 0
        for number in cases:
            data = folder / f"case{number}"
            _, problem = _trained(nursery, data, old, number, error)
            if problem:
                wrong += 1
                print(f"{errno.errorcode[error]} at {number}: {problem}")
            if number % _RESUMED_EVERY == 1 or short:
                resumed += 1
                not_resumed += _start(nursery, data, "--resume").wait() != 0
            subprocess.run(["rm", "-rf", str(data)], check=True)
        name = errno.errorcode[error]
        yield Figure(f"{name} at {len(cases)} changes of files: half-written or unclear", wrong, "", "≤ 0")
        yield Figure(f"{name}: {resumed} tried again with room: failed", not_resumed, "", "≤ 0")
    if short:
        return
    try:
        needs.tmpfs()
    except Skipped as reason:
        print(f"no small real disks: {reason}")
        return
    wrong = sum(_on_a_small_disk(nursery, folder / "disk", old, size) for size in _SIZES_KB)
    yield Figure(f"{len(_SIZES_KB)} small disks of {_SIZES_KB} kB: wrong", wrong, "", "≤ 0")


def _start(
    nursery: trainings.Nursery, data: Path, *flags: str, disk: FaultyDisk | None = None
) -> trainings.Process:
    return nursery.start(data, *_FLAGS, "--output", str(data / "model"), *flags, disk=disk)


def _trained(
    nursery: trainings.Nursery, data: Path, old: bundle.Bundle, fails_at: int, error: int
) -> tuple[int, str]:
    """Train where a change fails; return how many there were, and what is wrong with what is left."""
    trainings.lay_out(data, 8_000)
    bundle.write(data / "model", old)
    disk = FaultyDisk(data, fails_at, error)
    training = _start(nursery, data, disk=disk)
    exit_code = training.wait()
    return disk.changes, _wrong(data, exit_code, training.errors, old)


def _on_a_small_disk(nursery: trainings.Nursery, disk: Path, old: bundle.Bundle, size_kb: int) -> bool:
    """Train on a file system of its own that has so much room; return whether anything is wrong."""
    disk.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], check=True)
    try:
        data = trainings.lay_out(disk / "data", 8_000)
        bundle.write(data / "model", old)
        fill = disk / "fill"
        room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        fill.write_bytes(b"x" * (room - size_kb * 1024))
        training = _start(nursery, data)
        problem = _wrong(data, training.wait(), training.errors, old)
        fill.unlink()
        again = _start(nursery, data, "--resume")
        if again.wait():
            problem += f"; with room: {again.errors[-300:]}"
        if problem:
            print(f"{size_kb} kB: {problem}")
        return bool(problem)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _wrong(data: Path, exit_code: int, said: str, old: bundle.Bundle) -> str:
    """Return what is wrong after a training that failed or not; "" for nothing."""
    if exit_code not in (0, 1):
        return f"exit code {exit_code}: {said[-300:]}"
    if exit_code == 1 and (not said.splitlines()[-1].startswith("error: ") or "Traceback" in said):
        return f"said {said[-300:]!r}"
    left = [
        path.name for path in data.rglob("*") if path.name.startswith(".") or path.suffix in (".tmp", ".lock")
    ]
    if left:
        return f"left {left}"
    try:
        found = bundle.read(data / "model")
    except TextgenError as error:
        return str(error)
    if found.manifest == old.manifest:
        return "" if exit_code else "it ended well, and the old bundle is there"
    return "" if found.manifest.created_at > old.manifest.created_at else "another bundle"
