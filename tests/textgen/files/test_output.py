"""What stands where something is to be written: ours is replaced, the user's is named and kept."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import textgen
from tests.support.textgen.bundles import random_bundle, write_random_bundle
from tests.support.textgen.command import textgen as shell
from textgen import bundle
from textgen.cli import cli
from textgen.errors import CorpusError, TextgenError, TrainingError
from textgen.files import atomic, bundle_files
from textgen.files.output_folder import Output

QUICK: dict[str, Any] = {"time_limit": 1}
"""No network: the counted n-grams alone, in a fraction of a second."""


def command(*arguments: str | Path) -> None:
    """Run a command in this process, which is quicker than another one."""
    cli.main([str(argument) for argument in arguments], standalone_mode=False)


def refusal(*arguments: str | Path) -> str:
    with pytest.raises(TextgenError) as refused:
        command(*arguments)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def everything(folder: Path) -> dict[str, bytes | str]:
    """Return all that stands below a folder."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path)] = str(path.readlink())
        else:
            found[str(path)] = path.read_bytes() if path.is_file() else ""
    return found


def bundle_and_notes(model: Path) -> None:
    write_random_bundle(model)
    (model / "notes.txt").write_text("mine")


def newer_bundle(model: Path) -> None:
    write_random_bundle(model)
    manifest = json.loads((model / "manifest.json").read_bytes())
    (model / "manifest.json").write_text(json.dumps({**manifest, "format": bundle_files.FORMAT + 1}))


def web_manifest(model: Path) -> None:
    model.mkdir()
    (model / "manifest.json").write_text('{"name": "app", "icons": []}')


def other_folder(name: str) -> Callable[[Path], None]:
    def make(model: Path) -> None:
        (model.parent / name).mkdir()
        (model.parent / name / "BACKUP").write_text("mine")

    return make


def other_file(name: str) -> Callable[[Path], None]:
    return lambda model: (model.parent / name).write_text("mine") and None


USERS: list[tuple[str, Callable[[Path], object], str]] = [
    ("code", lambda model: (model.mkdir(), (model / "net.py").write_text("mine")), "holds net.py and is no"),
    ("models", lambda model: [write_random_bundle(model / name) for name in "abcd"], "a/, b/, c/ and 1 more"),
    ("hidden", lambda model: (model.mkdir(), (model / ".git").mkdir()), "holds .git/ and is no bundle"),
    ("bundle and more", bundle_and_notes, "holds notes.txt beside a bundle"),
    ("newer bundle", newer_bundle, f"format {bundle_files.FORMAT + 1}, which a newer textgen wrote"),
    ("another manifest", web_manifest, "holds manifest.json and is no bundle"),
    ("file", lambda model: model.write_text("mine"), "is a file, and a bundle is a folder"),
    ("pipe", os.mkfifo, "is a device or a pipe"),
    ("loop", lambda model: model.symlink_to(model), "a link that leads nowhere"),
    ("link to a file", lambda model: model.symlink_to(model.parent / "input.txt"), "is a file, and"),
    ("link without a place", lambda model: model.symlink_to("/none/model"), "/none is not there"),
    ("file model.checkpoint", other_file("model.checkpoint"), "model.checkpoint is a file, and the training"),
    ("folder model.checkpoint", other_folder("model.checkpoint"), "model.checkpoint holds BACKUP, and"),
    ("file model.lock", other_file("model.lock"), "model.lock is a file that is not ours"),
    ("folder model.lock", other_folder("model.lock"), "model.lock is a folder that is not ours"),
    ("folder .model.previous", other_folder(".model.previous"), ".model.previous holds BACKUP, and"),
    ("file .model.previous", other_file(".model.previous"), ".model.previous is a file, and"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "says"), [user[1:] for user in USERS], ids=[user[0] for user in USERS])
def test_files_of_the_user_are_named_before_training_and_kept(
    corpus: Path, make: Callable[[Path], object], says: str
) -> None:
    make(corpus / "model")
    before = everything(corpus) if not (corpus / "model").is_fifo() else None
    with pytest.raises(TrainingError) as refused:
        textgen.train(corpus, on_event=lambda event: pytest.fail("it began"), **QUICK)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert before is None or everything(corpus) == before


def test_a_folder_of_the_user_named_model_previous_is_kept(corpus: Path) -> None:
    other_folder("model.previous")(corpus / "model")
    for _ in range(2):
        textgen.train(corpus, **QUICK)
    assert (corpus / "model.previous" / "BACKUP").read_text() == "mine"
    assert sorted(path.name for path in corpus.iterdir()) == ["input.txt", "model", "model.previous"]


@pytest.mark.parametrize("output", [".", "./", "..", "../{name}", "/", "input.txt", "/dev/null"])
def test_an_output_that_holds_the_corpus_or_is_no_folder_is_refused(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.chdir(corpus)
    before = everything(corpus.parent)
    with pytest.raises(TrainingError, match=r"is no bundle|is the root|is a file|is a device"):
        textgen.train(corpus, output=output.format(name=corpus.name), **QUICK)
    assert everything(corpus.parent) == before
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_an_output_inside_another_bundle_or_with_a_name_too_long_is_refused(corpus: Path) -> None:
    write_random_bundle(corpus / "one")
    for output, says in ((corpus / "one" / "two", "inside the bundle"), (corpus / ("m" * 230), "230 bytes")):
        with pytest.raises(TrainingError, match=says):
            textgen.train(corpus, output=output, **QUICK)
    assert {path.name for path in corpus.iterdir()} == {"input.txt", "one"}


@pytest.mark.parametrize("shape", ["absent", "empty", "bundle", "old bundle", "damaged", "deep", "current"])
@pytest.mark.slow
def test_an_older_bundle_is_replaced(corpus: Path, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    model = corpus / "model"
    if shape in ("empty", "current"):
        model.mkdir(mode=0o700)
    elif shape != "absent":
        write_random_bundle(model)
    if shape == "old bundle":
        # What a curve, TensorBoard, a desktop and a killed process left.
        for name in ("loss.png", "events.out.tfevents.1.host", ".DS_Store", ".loss.png.17.tmp"):
            (model / name).write_text("x")
    if shape == "damaged":
        (model / "weights.safetensors").write_text("cut")
    output = {"deep": corpus / "no" / "such" / "model", "current": Path()}.get(shape, model)
    if shape == "current":
        monkeypatch.chdir(model)
    before = model.stat().st_ino if shape in ("empty", "current") else None
    for _ in range(2):
        textgen.train(corpus, output=output, **QUICK)
        assert bundle.read(output).manifest.characters > 1_000
    # Who stands in the folder, or gave it its permissions, keeps it.
    assert before is None or shape == "empty" or (model.stat().st_ino == before)
    assert before is None or stat.S_IMODE(model.stat().st_mode) == 0o700
    left = {path.name for path in corpus.rglob("*")} - {"no", "such"}
    assert left == {"input.txt", "model", *bundle_names()}


def bundle_names() -> set[str]:
    return {"spec.json", "tokenizer.json", "weights.safetensors", "counts.safetensors", "manifest.json"}


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_kept_and_its_target_is_written(corpus: Path, tmp_path: Path, there: bool) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if there:
        (disk / "large").mkdir()
    (corpus / "model").symlink_to(disk / "large")
    for _ in range(2):
        textgen.train(corpus, **QUICK)
    assert (corpus / "model").readlink() == disk / "large"
    assert {path.name for path in (disk / "large").iterdir()} == bundle_names()
    assert {path.name for path in disk.iterdir()} == {"large"}


@pytest.mark.parametrize("code", [errno.EBUSY, errno.EXDEV])
def test_a_folder_that_cannot_be_renamed_is_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    model = tmp_path / "model"
    write_random_bundle(model)
    (model / "lost+found").mkdir()
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        # A mount point, whose files are on another disk than the folder beside it.
        if self == model or (code == errno.EXDEV and (self.parent == model) != (target.parent == model)):
            raise OSError(code, os.strerror(code))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    bundle.write(model, random_bundle("gru"))
    assert bundle.read(model).spec.cell == "gru"
    assert {path.name for path in tmp_path.iterdir()} == {"model"}
    assert (model / "lost+found").is_dir()


@pytest.mark.slow
def test_a_mount_point_is_written_into(tmp_path: Path, corpus: Path) -> None:
    (corpus / "model").mkdir()
    (tmp_path / "volume").mkdir()
    script = """
        mount --bind "$1" "$2/model" || exit 77
        for _ in 1 2; do "$3" -m textgen train --data-dir "$2" --time-limit 1 || exit 1; done
        ls "$2/model"
    """
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", script, "_", tmp_path / "volume", corpus, sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no right to mount here")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "volume").iterdir()} == bundle_names()
    assert {path.name for path in corpus.iterdir()} == {"input.txt", "model"}


@pytest.mark.parametrize("cut", range(1, 9))
def test_an_interrupted_write_leaves_the_old_or_the_new_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """The folder is somebody's current one, so it is not renamed; the n-th synchronisation fails."""
    model = tmp_path / "model"
    write_random_bundle(model)
    monkeypatch.chdir(model)
    real, calls = atomic.sync_folder, iter(range(1, 99))

    def sync(folder: Path) -> None:
        if folder != model.with_name(".x") and "new" not in folder.suffix and next(calls) == cut:
            raise OSError(errno.EIO, "Input/output error")
        real(folder)

    monkeypatch.setattr(atomic, "sync_folder", sync)
    with contextlib.suppress(TrainingError):
        bundle.write(Path(), random_bundle("gru"))
    monkeypatch.setattr(atomic, "sync_folder", real)
    assert bundle.read(model).spec.cell in {"lstm", "gru"}
    bundle.write(model, random_bundle("gru", units=16))
    assert bundle.read(model).spec.units == 16
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_a_disk_that_is_full_at_the_last_moment_leaves_the_old_bundle_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    write_random_bundle(model)
    real = atomic.sync_folder

    def sync(folder: Path) -> None:
        if folder == tmp_path:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(folder)

    monkeypatch.setattr(atomic, "sync_folder", sync)
    with pytest.raises(TrainingError, match="No space left"):
        bundle.write(model, random_bundle("gru"))
    assert bundle.read(model).spec.cell == "lstm"
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_files_that_appear_during_the_training_are_kept(corpus: Path) -> None:
    def put(event: dict[str, Any]) -> None:
        if event["event"] == "started":
            (corpus / "model").mkdir()
            (corpus / "model" / "notes.txt").write_text("mine")

    with pytest.raises(TrainingError, match=r"holds notes\.txt and is no bundle"):
        textgen.train(corpus, on_event=put, **QUICK)
    assert (corpus / "model" / "notes.txt").read_text() == "mine"


def test_a_refused_training_leaves_no_folder_behind(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("To be.")
    with pytest.raises(CorpusError):
        textgen.train(tmp_path / "short.txt", output=tmp_path / "a" / "b" / "model", **QUICK)
    assert [path.name for path in tmp_path.iterdir()] == ["short.txt"]


def test_unfinished_folders_of_a_killed_training_are_deleted(corpus: Path) -> None:
    for name in (".model.7.new", ".model.8.0123abcd.new"):
        write_random_bundle(corpus / "one")
        (corpus / "one").rename(corpus / name)
    (corpus / ".model.9.new").mkdir()
    (corpus / ".model.9.new" / "notes.txt").write_text("mine")
    textgen.train(corpus, **QUICK)
    assert {path.name for path in corpus.iterdir()} == {"input.txt", "model", ".model.9.new"}


def test_a_board_inside_the_output_is_refused(corpus: Path) -> None:
    flags = ("train", "--data-dir", corpus, "--tensorboard")
    assert "would go with it" in refusal(*flags, corpus / "model" / "board")
    (corpus / "board").write_text("mine")
    assert "board is a file" in refusal(*flags, corpus / "board")
    assert {path.name for path in corpus.iterdir()} == {"input.txt", "board"}


def test_plays_do_not_overwrite_another_text(tmp_path: Path) -> None:
    for name in ("input.txt", "validate.txt"):
        folder = tmp_path / name.removesuffix(".txt")
        folder.mkdir()
        (folder / name).write_text("ten years of work")
        line = refusal("corpus", "shakespeare", folder, "--genre", "roman")
        assert f"{name} is there already (a file); give force to overwrite it" in line
        assert [path.name for path in folder.iterdir()] == [name]
    folder = tmp_path / "input"
    for more in (["--force"], []):  # the second time it is what would be written
        command("corpus", "shakespeare", folder, "--genre", "roman", *more)
    assert (folder / "input.txt").stat().st_size > 100_000


def test_unwrapping_overwrites_only_if_forced_and_spares_devices(tmp_path: Path) -> None:
    book, target = tmp_path / "book.txt", tmp_path / "target.txt"
    line = "Each line of this book is as long as the next one is, for so it was typed"
    book.write_text(f"{line}\n{line}\n{line}.\n")
    target.write_text("mine")
    target.chmod(0o600)
    (tmp_path / "link.txt").symlink_to(target)
    for path in (target, tmp_path / "link.txt", book):
        assert "force" in refusal("corpus", "unwrap", book, "--output", path)
    assert "is a folder" in refusal("corpus", "unwrap", book, "--output", tmp_path, "--force")
    assert target.read_text() == "mine"
    command("corpus", "unwrap", book, "--output", tmp_path / "link.txt", "--force")
    assert target.read_text().startswith(line)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (tmp_path / "link.txt").is_symlink()
    command("corpus", "unwrap", book, "--output", "/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert line in shell("corpus", "unwrap", book, "--output", "/dev/stdout").stdout


def test_a_split_keeps_links_and_permissions(tmp_path: Path) -> None:
    real, folder = tmp_path / "real.txt", tmp_path / "data"
    folder.mkdir()
    real.write_text("\n\n".join(f"Paragraph {number} of a text." for number in range(100)))
    real.chmod(0o600)
    (folder / "input.txt").symlink_to(real)
    whole = real.read_text()
    command("corpus", "split", folder)
    assert (folder / "input.txt").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert real.read_text() + (folder / "validate.txt").read_text() == whole


def test_a_picture_of_the_user_is_not_overwritten(tmp_path: Path) -> None:
    made = random_bundle()
    manifest = made.manifest
    manifest.history.extend({"step": n, "seconds": n, "validation_loss": 3.0} for n in range(3))
    bundle.write(tmp_path / "model", made)
    (tmp_path / "model" / "loss.png").write_bytes(b"\x89PNG my holidays")
    assert "give force to overwrite it" in refusal("inspect", tmp_path / "model", "--plot")
    for more in (["--force"], []):  # our own is drawn anew
        command("inspect", tmp_path / "model", "--plot", *more)


def test_files_of_others_in_a_cache_stay(corpus: Path) -> None:
    (corpus / "cache" / "mine").mkdir(parents=True)
    (corpus / "cache" / "mine" / "corpus.json").write_text("{}")
    (corpus / "cache" / ".mine.1.new").mkdir()
    os.utime(corpus / "cache" / ".mine.1.new", (0, 0))
    from textgen.training.data.token_cache import TokenCache

    with TokenCache(corpus / "cache", limit_bytes=0).adding("a" * 40) as prepared:
        for name in ("training", "validation"):
            (prepared / name).write_bytes(b"x")
        TokenCache(corpus / "cache", limit_bytes=0).publish(prepared, "a" * 40, {})
    assert {path.name for path in (corpus / "cache").iterdir()} == {"mine", ".mine.1.new", "a" * 40}


def test_the_previous_bundle_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    for name in (".model.previous", "model.previous"):
        write_random_bundle(tmp_path / name)
        assert bundle.read(tmp_path / "model").spec.cell == "lstm"
        assert Output.of(tmp_path / "model").standing().name == name
        (tmp_path / name).rename(tmp_path / f"{name}.gone")
