"""A checkpoint that is damaged is found, and the one before it or a new beginning takes its place."""

import json
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

import textgen
from textgen.errors import TrainingError
from textgen.training.checkpoints import checkpoint_file
from textgen.training.checkpoints.checkpoint_file import DamagedCheckpointError
from textgen.training.reporting.events import Event

ARRAYS = {"variable0000": np.arange(600, dtype=np.float32), "best.weights": np.ones((3, 4), np.float32)}
METADATA = {"progress": '{"step": 3}', "fingerprint": '{"corpus": "„0“"}'}

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "a few bytes": lambda data: data[:5],
    "half": lambda data: data[: len(data) // 2],
    "one byte less": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "noughts": lambda data: bytes(len(data)),
    "something else": lambda data: b"To be, or not to be" * 99,
    "a header without end": lambda data: b"\xff" * 8 + data[8:],
    "no hash": lambda data: data.replace(b'"sha256"', b'"sha255"'),
}


@pytest.fixture
def checkpoint() -> ModuleType:
    """The module is imported here because it loads Keras, which not every process of the tests needs."""
    from textgen.training.checkpoints import checkpoint

    return checkpoint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / checkpoint_file.NAME


def test_what_was_written_is_read_again(path: Path) -> None:
    checkpoint_file.write(path, ARRAYS, METADATA)
    metadata, arrays = checkpoint_file.read(path)
    assert METADATA.items() <= metadata.items()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)


def test_every_flipped_bit_and_every_cut_is_noticed(path: Path) -> None:
    checkpoint_file.write(path, ARRAYS, METADATA)
    good, draw = path.read_bytes(), random.Random(1)
    header = 8 + int.from_bytes(good[:8], "little")
    flips = [*range(header), *(draw.randrange(header, len(good)) for _ in range(100))]
    for place in flips:
        flipped = bytearray(good)
        flipped[place] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(DamagedCheckpointError):
            checkpoint_file.read(path)
    for _ in range(50):
        path.write_bytes(good[: draw.randrange(len(good))])
        with pytest.raises(DamagedCheckpointError):
            checkpoint_file.read(path)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_every_kind_of_damage_gives_a_one_line_error(path: Path, damage: Callable[[bytes], bytes]) -> None:
    checkpoint_file.write(path, ARRAYS, METADATA)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DamagedCheckpointError, match=r"is damaged \(.+\)$"):
        checkpoint_file.read(path)


def test_a_large_damaged_checkpoint_takes_little_memory(path: Path) -> None:
    checkpoint_file.write(path, {"variable0000": np.zeros(8 << 20, np.float32)}, METADATA)
    with path.open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\1")
    tracemalloc.start()
    begun = time.monotonic()
    with pytest.raises(DamagedCheckpointError):
        checkpoint_file.read(path)
    assert time.monotonic() - begun < 2
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_exactly_one_previous_checkpoint_is_kept(path: Path) -> None:
    for step in range(4):
        checkpoint_file.write(path, ARRAYS, {"progress": str(step)})
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "state.previous.safetensors",
        "state.safetensors",
    ]
    assert checkpoint_file.read(path)[0]["progress"] == "3"
    assert checkpoint_file.read(checkpoint_file.before(path))[0]["progress"] == "2"
    # A disk without hard links keeps both too.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.link", refuse)
        checkpoint_file.write(path, ARRAYS, {"progress": "4"})
    assert checkpoint_file.read(checkpoint_file.before(path))[0]["progress"] == "3"


def test_a_full_disk_leaves_both_checkpoints_unchanged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in range(2):
        checkpoint_file.write(path, ARRAYS, {"progress": str(step)})
    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        checkpoint_file.write(path, ARRAYS, {"progress": "2"})
    assert checkpoint_file.read(path)[0]["progress"] == "1"
    assert checkpoint_file.read(checkpoint_file.before(path))[0]["progress"] == "0"
    assert len(list(path.parent.iterdir())) == 2


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


class Variable:
    """In the place of a Keras variable."""

    def __init__(self, value: npt.NDArray[Any]) -> None:
        self.shape, self.value = value.shape, value

    def assign(self, value: npt.NDArray[Any]) -> None:
        self.value = value


@pytest.mark.parametrize(
    ("newest", "older", "step", "damage", "note"),
    [
        ("good", "good", 2, "", ""),
        ("good", "cut", 2, "", ""),
        ("good", "gone", 2, "", ""),
        ("cut", "good", 1, "previous", "goes on from the one before it, of step 1"),
        ("gone", "good", 1, "previous", "is not there: this training goes on from the one before it"),
        ("cut", "cut", None, "anew", "the one before it is no better: this training starts anew"),
        ("cut", "gone", None, "anew", "there is none before it: this training starts anew"),
        ("gone", "cut", None, "anew", "this training starts anew"),
        ("gone", "gone", None, "", "there is no checkpoint to resume: this training starts anew"),
    ],
)
@pytest.mark.slow
def test_a_damaged_checkpoint_is_replaced_by_the_previous_one(
    checkpoint: ModuleType, path: Path, newest: str, older: str, step: int | None, damage: str, note: str
) -> None:
    fingerprint = {"corpus": "a"}
    for number in (1, 2):
        values = {"variable0000": np.full(4, number, np.float32), "best.w": np.full(3, number, np.float32)}
        metadata = {"progress": json.dumps({"step": number}), "fingerprint": json.dumps(fingerprint)}
        checkpoint_file.write(path, values, metadata)
    for file, how in ((path, newest), (checkpoint_file.before(path), older)):
        if how == "gone":
            file.unlink()
        elif how == "cut":
            file.write_bytes(file.read_bytes()[:-3])
    variable = Variable(np.zeros(4, np.float32))
    found = checkpoint.resume(path, cast("Any", [variable]), fingerprint)
    assert (found.progress.step if found.progress else None) == step
    assert (variable.value == (step or 0)).all()
    assert found.damage == damage
    assert note in found.note if note else not found.note

    # What comes next has the one it went on from as its predecessor, not the damaged one.
    checkpoint_file.write(path, ARRAYS, {"progress": "3"})
    if step:
        assert json.loads(checkpoint_file.read(checkpoint_file.before(path))[0]["progress"])["step"] == step


def test_a_checkpoint_of_another_version_is_put_aside_and_changes_nothing(
    checkpoint: ModuleType, path: Path
) -> None:
    values = {"variable0000": np.ones(4, np.float32), "best.w": np.ones(3, np.float32)}
    checkpoint_file.write(path, values, {"progress": '{"step": 1}', "fingerprint": "{}"})
    known, new = Variable(np.zeros(4, np.float32)), Variable(np.zeros(2, np.float32))
    found = checkpoint.resume(path, cast("Any", [known, new]), {})
    assert "is of another version of textgen" in found.note
    assert found.note.endswith("this training starts anew")
    assert found.progress is None
    assert not known.value.any()
    assert checkpoint_file.damaged(path).exists()
    assert not path.exists()


@pytest.mark.slow
def test_a_checkpoint_of_another_training_is_refused_and_stays(checkpoint: ModuleType, path: Path) -> None:
    checkpoint_file.write(path, ARRAYS, {"progress": "{}", "fingerprint": '{"corpus": "a"}'})
    with pytest.raises(TrainingError, match="another corpus"):
        checkpoint.resume(path, [], {"corpus": "b"})
    assert path.exists()


@pytest.mark.slow
def test_a_training_on_a_damaged_checkpoint_says_so_and_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "input.txt").write_text("to be or not to be\n" * 300, encoding="utf-8")
    flags = {"preset": "tiny", "rnn_size": 8, "embedding_size": 8, "num_epochs": 1}
    state = tmp_path / "model.checkpoint" / checkpoint_file.NAME
    state.parent.mkdir()
    state.write_bytes(b"no checkpoint")
    events: list[Event] = []
    textgen.train(tmp_path, resume=True, on_event=events.append, **flags)
    assert events[0]["resumed"] is False
    assert events[0]["damage"] == "anew"
    assert any("is damaged" in note and "starts anew" in note for note in events[0]["notes"])
    assert [file.name for file in state.parent.iterdir()] == ["state.damaged.safetensors"]
