"""The folder that a training writes: whether it may be written, the names beside it, and how it is replaced.

A training is refused before it begins if the folder, or a name beside it that the training needs, holds files
that textgen has not written (`textgen.files.ownership`).
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from textgen.errors import TrainingError
from textgen.files import atomic
from textgen.files.bundle_files import FORMAT, MANIFEST, OF_A_BUNDLE
from textgen.files.ownership import (
    LITTER,
    WAYS_OUT,
    check_lock,
    discard,
    format_of,
    is_bundle,
    listing,
    names_in,
    strangers,
    strangers_of_checkpoint,
)

_LONGEST_NAME = 200
_INSTEAD = ("choose another --output", "move it away")
_ELSEWHERE = ("choose another --output",)
# The system refuses to rename a mount point, or a folder of a container's image.
_NOT_RENAMED = {errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.EINVAL}


@dataclass(frozen=True, slots=True)
class Output:
    """The folder of a bundle that will be written, and the names beside it that the training uses.

    Attributes:
        given: the path as the user gave it.
        place: the path with links resolved, so that it ends in a name.
    """

    given: Path
    place: Path

    @classmethod
    def of(cls, path: Path) -> Output:
        """Return the output at a path. Only links are looked up."""
        named = path.name not in ("", "..") and not path.is_symlink()
        return cls(path, path if named else Path(os.path.realpath(path)))

    @property
    def lock(self) -> Path:
        """The lock file of the training."""
        return self.place.with_name(f"{self.place.name}.lock")

    @property
    def checkpoint(self) -> Path:
        """The folder of the training's checkpoint."""
        return self.place.with_name(f"{self.place.name}.checkpoint")

    @property
    def previous(self) -> Path:
        """The previous bundle, while it is being replaced. A hidden name that no user would choose."""
        return self.place.with_name(f".{self.place.name}.previous")

    def standing(self) -> Path:
        """Return the folder to read: the previous bundle's if a replacement was interrupted."""
        if not os.path.lexists(self.place / MANIFEST):
            # Earlier versions used the second name.
            for aside in (self.previous, self.place.with_name(f"{self.place.name}.previous")):
                if is_bundle(aside):
                    return aside
        return self.given

    def check(self) -> None:
        """Refuse an output where the training would overwrite a user's files.

        Raises:
            TrainingError: files there are not textgen's, or cannot be replaced; the message names them.
        """
        given, place = self.given, self.place
        if not place.name:
            raise TrainingError(f"{given} is the root of the file system; name a folder in it")
        if len(os.fsencode(place.name)) > _LONGEST_NAME:
            raise TrainingError(
                f"the name {place.name[:40]}… has {len(os.fsencode(place.name))} bytes; a bundle's can have "
                f"{_LONGEST_NAME}, because names beside it are longer"
            )
        if place.is_symlink():
            raise TrainingError(f"{given} is a link that leads nowhere", advice=_INSTEAD)
        if given.is_symlink() and not place.parent.is_dir():
            raise TrainingError(
                f"{given} is a link to {place}, and {place.parent} is not there", advice=_ELSEWHERE
            )
        for folder in Path(os.path.realpath(place)).parents:
            if is_bundle(folder):
                raise TrainingError(
                    f"{given} lies inside the bundle {folder}", advice=("choose an --output outside of it",)
                )
        self._check_place()
        _check_name(self.previous, strangers)
        _check_name(self.checkpoint, strangers_of_checkpoint, links=True)
        check_lock(self.lock)

    def holds(self, path: Path) -> bool:
        """Return whether a path is in a folder that is replaced or deleted when the training ends."""
        real = Path(os.path.realpath(path))
        ours = (Path(os.path.realpath(folder)) for folder in (self.place, self.checkpoint, self.previous))
        return any(real.is_relative_to(folder) for folder in ours)

    @contextmanager
    def parent(self) -> Iterator[None]:
        """Create the parent folders. After the block, those that are still empty are deleted.

        Raises:
            TrainingError: they cannot be made.
        """
        above = self.place.absolute().parent
        made = [folder for folder in (above, *above.parents) if not os.path.lexists(folder)]
        try:
            above.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{above} cannot be made: {error.strerror}") from None
        try:
            yield
        finally:
            with suppress(OSError):
                for folder in made:
                    folder.rmdir()

    def sweep(self) -> None:
        """Delete the unfinished folders of killed processes. Only the holder of the lock may call this."""
        for path in self.place.absolute().parent.glob(f".{glob.escape(self.place.name)}.*.new"):
            if atomic.is_beside(path.name, self.place.name) and not strangers(path):
                discard(path)

    def put(self, prepared: Path) -> None:
        """Replace the old bundle with a finished folder.

        A folder cannot be renamed to the name of one that is not empty, so the old one is renamed first.
        At every moment `standing` finds the old bundle or the new one complete. A folder that cannot be
        renamed gets the new files one by one.

        Args:
            prepared: the new folder, beside `place`.

        Raises:
            OSError: the disk refuses; the old bundle is complete.
        """
        place = self.place
        if not place.exists():
            prepared.rename(place)
            atomic.sync_folder(place.absolute().parent)
        elif not is_bundle(place) or _is_current(place):
            # An empty folder keeps its owner and permissions. The current folder of a shell is not renamed.
            self._write_into(prepared)
        else:
            prepared.chmod(place.stat().st_mode & 0o7777)
            discard(self.previous)
            try:
                place.rename(self.previous)
            except OSError as error:
                if error.errno not in _NOT_RENAMED:
                    raise
                self._write_into(prepared)
            else:
                prepared.rename(place)
                self._sync_or_undo(prepared)
        discard(self.previous)

    def _sync_or_undo(self, prepared: Path) -> None:
        """Make a replacement durable, or put the old bundle back: a loss of power could bring it back, too.

        Raises:
            OSError: the disk refuses; the old bundle is in its place.
        """
        try:
            atomic.sync_folder(self.place.absolute().parent)
        except OSError:
            with suppress(OSError):
                self.place.rename(prepared)
                self.previous.rename(self.place)
            raise

    def _write_into(self, prepared: Path) -> None:
        """Replace the files one by one. Without a manifest, readers do not take the folder for a bundle."""
        place = self.place
        if is_bundle(place):
            copy = atomic.beside(place, "new")
            copy.mkdir()
            try:
                for name in sorted(OF_A_BUNDLE):
                    if (place / name).is_file():
                        _copy(place / name, copy / name)
                atomic.sync_folder(copy)
                discard(self.previous)
                copy.rename(self.previous)
            finally:
                discard(copy)
            atomic.sync_folder(place.absolute().parent)
        for name in sorted(OF_A_BUNDLE, key=lambda name: name != MANIFEST):
            (place / name).unlink(missing_ok=True)
        for source in sorted(prepared.iterdir(), key=lambda path: path.name == MANIFEST):
            try:
                source.rename(place / source.name)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                _copy(source, place / source.name)
            atomic.sync_folder(place)

    def _check_place(self) -> None:
        given, place = self.given, self.place
        kind = atomic.kind_of(place)
        if kind is None:
            return
        if not place.is_dir():
            raise TrainingError(f"{given} is {kind}, and a bundle is a folder", advice=_INSTEAD)
        version = format_of(place)
        if version is not None and version > FORMAT:
            raise TrainingError(
                f"{given} holds a bundle of format {version}, which a newer textgen wrote", advice=_INSTEAD
            )
        names = strangers(place)
        if version is not None and names:
            raise TrainingError(f"{given} holds {listing(place, names)} beside a bundle", advice=_INSTEAD)
        # An interrupted replacement leaves files of a bundle without a manifest.
        if version is None and (names or not is_bundle(self.previous)):
            held = sorted(name for name in names_in(place) if name not in LITTER)
            if held:
                raise TrainingError(f"{given} holds {listing(place, held)} and is no bundle", advice=_INSTEAD)
        if not os.access(place, os.W_OK | os.X_OK):
            raise TrainingError(f"{given} cannot be written: it is read-only", advice=_ELSEWHERE)


def _check_name(folder: Path, strangers: Callable[[Path], list[str]], *, links: bool = False) -> None:
    """Refuse a folder beside the output that holds files of the user."""
    kind = atomic.kind_of(folder)
    if kind is None:
        return
    if kind != "a folder" and not (links and folder.is_dir()):
        raise TrainingError(f"{folder} is {kind}, and the training needs this name", advice=WAYS_OUT)
    if found := strangers(folder):
        raise TrainingError(
            f"{folder} holds {listing(folder, found)}, and the training needs this name", advice=WAYS_OUT
        )


def _is_current(folder: Path) -> bool:
    try:
        return folder.samefile(os.curdir)
    except OSError:
        return False


def _copy(source: Path, target: Path) -> None:
    """Copy a file atomically: afterwards it is complete or absent."""
    temporary = atomic.beside(target, "tmp")
    try:
        with source.open("rb") as old, temporary.open("xb") as new:
            shutil.copyfileobj(old, new)
            atomic.sync(new)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
