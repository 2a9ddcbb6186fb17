"""A bundle is read only if it is whole, ours, and no larger than it says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from tests.support.textgen.bundles import random_bundle, write_random_bundle
from textgen import bundle
from textgen.errors import BundleError, TrainingError
from textgen.experts.registry import to_arrays
from textgen.files import atomic, bundle_files

FILES = (bundle_files.SPEC, bundle_files.TOKENIZER, bundle_files.WEIGHTS)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written = write_random_bundle(tmp_path / "model")
    read = bundle.read(tmp_path / "model")
    assert read.spec == written.spec
    assert read.manifest == written.manifest
    assert read.tokenizer.to_json() == written.tokenizer.to_json()
    for name, array in written.weights.items():
        np.testing.assert_array_equal(read.weights[name], array)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", [0, 0.5, 1])
def test_a_flipped_bit_is_found(tmp_path: Path, name: str, where: float) -> None:
    write_random_bundle(tmp_path / "model")
    path = tmp_path / "model" / name
    data = bytearray(path.read_bytes())
    data[round(where * (len(data) - 1))] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=f"{name} is damaged"):
        bundle.read(tmp_path / "model")


@pytest.mark.parametrize("name", [*FILES, bundle_files.MANIFEST])
def test_a_truncated_or_missing_file_is_found(tmp_path: Path, name: str) -> None:
    write_random_bundle(tmp_path / "model")
    path = tmp_path / "model" / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BundleError, match=name):
        bundle.read(tmp_path / "model")
    path.unlink()
    with pytest.raises(BundleError, match=f"{name} is not there"):
        bundle.read(tmp_path / "model")


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    weights = tmp_path / "model" / bundle_files.WEIGHTS
    elsewhere = weights.rename(tmp_path / "elsewhere")
    weights.symlink_to(elsewhere)
    with pytest.raises(BundleError, match="not complete"):
        bundle.read(tmp_path / "model")


def _reseal(folder: Path, changes: dict[str, Any] | None = None) -> None:
    """Make the manifest agree with changed files, as somebody hostile would."""
    path = folder / bundle_files.MANIFEST
    data = json.loads(path.read_text())
    data["files"] = {
        name: {"sha256": atomic.sha256(folder / name), "bytes": (folder / name).stat().st_size}
        for name in (*FILES, bundle_files.COUNTS)
        if (folder / name).exists()
    }
    path.write_text(json.dumps({**data, **(changes or {})}))


def _change_spec(folder: Path, **values: Any) -> None:
    path = folder / bundle_files.SPEC
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _weights_of(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / bundle_files.WEIGHTS
    arrays = safetensors.numpy.load(path.read_bytes())
    change(arrays)
    path.write_bytes(safetensors.numpy.save(arrays))


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a spec of terabytes": (lambda folder: _change_spec(folder, units=8192, layers=32), "parameters"),
    "a spec out of bounds": (lambda folder: _change_spec(folder, units=10**12), "units is"),
    "a spec that is not a number": (lambda folder: _change_spec(folder, units="24"), "units is '24'"),
    "an unknown cell": (lambda folder: _change_spec(folder, cell="__import__('os')"), "the cell is"),
    "an unknown key": (lambda folder: _change_spec(folder, module="os"), r"spec\.json holds \['module'\]"),
    "weights of another spec": (lambda folder: _change_spec(folder, units=23), "do not fit"),
    "another vocabulary": (lambda folder: _change_spec(folder, vocabulary=99), "tokenizer has"),
    "a missing weight": (
        lambda folder: _weights_of(folder, lambda arrays: arrays.pop("output.bias")),
        "beginning with output.bias",
    ),
    "a weight too many": (
        lambda folder: _weights_of(folder, lambda arrays: arrays.update(x=np.zeros(3, np.float32))),
        "beginning with x",
    ),
    "weights of another kind": (
        lambda folder: _weights_of(
            folder, lambda arrays: arrays.update({"output.bias": arrays["output.bias"].astype(np.float16)})
        ),
        "32-bit floats",
    ),
    "weights that are not finite": (
        lambda folder: _weights_of(folder, lambda arrays: arrays["output.bias"].fill(np.nan)),
        "not finite",
    ),
    "weights that are no safetensors": (
        lambda folder: (folder / bundle_files.WEIGHTS).write_bytes(b"\xff" * 500) and None,
        "not a safetensors file",
    ),
    "a header that claims gigabytes": (
        lambda folder: (
            (folder / bundle_files.WEIGHTS).write_bytes((2**40).to_bytes(8, "little") + b"{}" * 90) and None
        ),
        "not a safetensors file",
    ),
    "a million line starts": (lambda folder: _reseal(folder, {"seeds": ["a"] * 1_000_000}), "bytes"),
    "too many line starts": (lambda folder: _reseal(folder, {"seeds": ["a"] * 201}), "201 line starts"),
    "a line start without end": (lambda folder: _reseal(folder, {"seeds": ["a" * 500_000]}), "500,000 char"),
    "a line start that is a number": (lambda folder: _reseal(folder, {"seeds": [1]}), "no texts"),
    "a history of nothing": (
        lambda folder: _reseal(folder, {"history": [{"validation_loss": math.nan}]}),
        "a history",
    ),
    "JSON of small values": (
        lambda folder: (folder / bundle_files.TOKENIZER).write_text("[" + "[]," * 400_000 + "[]]") and None,
        "more values",
    ),
    "JSON nested without end": (
        lambda folder: (folder / bundle_files.SPEC).write_text("[" * 100_000) and None,
        "not valid JSON",
    ),
}


@pytest.mark.parametrize(("attack", "says"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_bundle_is_refused(tmp_path: Path, attack: Callable[[Path], None], says: str) -> None:
    write_random_bundle(tmp_path / "model")
    attack(tmp_path / "model")
    _reseal(tmp_path / "model")
    with pytest.raises(BundleError, match=says) as caught:
        bundle.read(tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_an_oversized_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    with (tmp_path / "model" / bundle_files.WEIGHTS).open("r+b") as stream:
        stream.truncate(50 << 30)  # sparse: it takes no disk
    with pytest.raises(BundleError, match="53,687,091,200 bytes; at most"):
        bundle.read(tmp_path / "model")


def test_a_newer_format_asks_for_an_update(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    _reseal(tmp_path / "model", {"format": bundle_files.FORMAT + 1})
    with pytest.raises(BundleError, match="format 5; this version reads up to 4: update"):
        bundle.read(tmp_path / "model")


def test_a_format_from_before_the_first_release_asks_for_a_new_training(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model")
    _reseal(tmp_path / "model", {"format": 1})
    with pytest.raises(BundleError, match="format 1, which came before the first release; train it again"):
        bundle.read(tmp_path / "model")


@pytest.mark.parametrize("name", ["tokens1", "counts2", "beneath4"])
def test_counts_of_another_vocabulary_are_refused(tmp_path: Path, name: str) -> None:
    made = write_random_bundle(tmp_path / "model", "linear")
    arrays = to_arrays(made.experts)
    counts = tmp_path / "model" / bundle_files.COUNTS
    counts.write_bytes(safetensors.numpy.save({**arrays, name: arrays[name][:-1]}))
    with pytest.raises(BundleError, match="damaged"):
        bundle.read(tmp_path / "model")
    _reseal(tmp_path / "model", {})
    with pytest.raises(BundleError, match="do not fit each other"):
        bundle.read(tmp_path / "model")
    counts.unlink()
    with pytest.raises(BundleError, match="not complete"):
        bundle.read(tmp_path / "model")


@pytest.mark.parametrize("version", [0, 3, True, "2", None])
def test_rules_of_drawing_that_are_unknown_are_refused(tmp_path: Path, version: object) -> None:
    write_random_bundle(tmp_path / "model")
    _reseal(tmp_path / "model", {"sampling": version})
    with pytest.raises(BundleError, match="values of the wrong kind"):
        bundle.read(tmp_path / "model")


@pytest.mark.parametrize("manifest", ["[]", "{}", '{"format": "1"}', '{"format": 2, "level": "char"}'])
def test_a_foreign_manifest_is_refused(tmp_path: Path, manifest: str) -> None:
    write_random_bundle(tmp_path / "model")
    (tmp_path / "model" / bundle_files.MANIFEST).write_text(manifest)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        bundle.read_manifest(tmp_path / "model")


def test_an_absent_bundle_gives_an_error_that_explains_bundles(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not there; a bundle is a folder"):
        bundle.read(tmp_path / "model")


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    before = write_random_bundle(tmp_path / "model")
    broken = dict(before.weights)
    broken["output.bias"] = np.full_like(broken["output.bias"], np.inf)
    with pytest.raises(TrainingError, match="not finite"):
        bundle.write(tmp_path / "model", replace(before, weights=broken))
    np.testing.assert_array_equal(
        bundle.read(tmp_path / "model").weights["output.bias"], before.weights["output.bias"]
    )


def test_an_interrupted_replacement_leaves_the_old_bundle_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_random_bundle(tmp_path / "model")
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.suffix == ".new":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(TrainingError, match="No space left on device"):
        bundle.write(tmp_path / "model", random_bundle("gru"))
    assert bundle.read(tmp_path / "model").spec.cell == "lstm"
