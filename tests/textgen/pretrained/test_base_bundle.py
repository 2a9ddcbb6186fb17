"""A base on disk: what is written comes back within half a step, and damage is named in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.support.textgen import bases
from textgen.errors import BundleError
from textgen.pretrained import base_bundle, store
from textgen.pretrained.spec import LlamaSpec


@pytest.mark.parametrize("tied", [True, False])
def test_weights_come_back_within_half_a_step(tied: bool) -> None:
    sizes = bases.spec(tied=tied)
    made = bases.add(sizes=sizes)
    base = store.find("tiny")
    assert base.spec == sizes
    assert base.about.licence == "CC0-1.0"
    for name, shape in sizes.shapes().items():
        found = base.float_weights(name)
        assert found.shape == shape
        if len(shape) == 1:
            assert np.array_equal(found, made[name])
        else:
            step = np.abs(made[name]).max(axis=1, keepdims=True) / 127
            assert (np.abs(found - made[name]) <= step * 0.501).all()
            assert not base.weights[name].rows.flags.writeable


def test_the_memory_of_the_weights_is_given_back_and_they_stay_what_they_are() -> None:
    bases.add()
    base = store.find("tiny")

    def in_memory() -> int:
        maps = psutil.Process().memory_maps()
        return sum(each.rss for each in maps if Path(each.path).parent.resolve() == base.path.resolve())

    before = {name: base.float_weights(name) for name in base.spec.shapes()}
    assert in_memory() > 0
    base.release()
    assert in_memory() == 0
    for name, values in before.items():
        assert np.array_equal(base.float_weights(name), values)


def test_the_hash_names_the_model_and_not_its_name() -> None:
    bases.add("one")
    bases.add("two")
    assert store.find("one").sha256 == store.find("two").sha256
    assert store.find(store.find("two").sha256).spec == bases.spec()
    bases.add("three", bases.spec(tied=False))
    assert store.find("three").sha256 != store.find("one").sha256


def test_bases_are_listed_and_removed() -> None:
    assert store.entries() == []
    bases.add("one")
    bases.add("two")
    (store.folder() / "two" / "base.json").write_text("{}")
    one, two = store.entries()
    assert (one.name, one.error) == ("one", "")
    assert one.about is not None
    assert one.about.languages == ("en",)
    assert one.nbytes > 20_000
    assert "no format number" in two.error
    assert store.remove("one").name == "one"
    assert store.remove("two").name == "two"
    assert list(store.folder().iterdir()) == []


def test_a_base_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(BundleError, match=r"no base 'big' .*there is none yet: `textgen base add SOURCE`"):
        store.find("big")
    bases.add("tiny")
    with pytest.raises(BundleError, match="no base 'big' on this host; there are tiny"):
        store.find("big")
    with pytest.raises(BundleError, match="no base '0000"):
        store.find("0" * 64)
    with pytest.raises(BundleError, match="there is no base"):
        store.remove("../tiny")


@pytest.mark.parametrize("name", ["", "Big", ".hidden", "a/b", "a" * 65, "ü"])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(BundleError, match="cannot be a base's"):
        store.checked_name(name)


def test_a_name_is_given_once() -> None:
    bases.add("tiny")
    with pytest.raises(BundleError, match="a base tiny already"):
        bases.add("tiny")
    assert [path.name for path in store.folder().iterdir()] == ["tiny"]


def test_a_base_that_cannot_be_written_leaves_nothing() -> None:
    def refuse(folder: Path) -> None:
        bases.write(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(BundleError, match="No space left on device; nothing was changed"):
        store.add("tiny", refuse)
    assert list(store.folder().iterdir()) == []


def test_files_of_others_are_not_removed() -> None:
    bases.add("tiny")
    (store.folder() / "tiny" / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"holds 'notes.txt'"):
        store.remove("tiny")
    assert store.find("tiny").spec == bases.spec()


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    made = bases.weights(bases.spec())
    made["layer1.up"][3, 4] = np.nan
    about = base_bundle.About("tiny", "here")
    with pytest.raises(BundleError, match=r"layer1\.up holds numbers above 1,000, or none"):
        base_bundle.write(tmp_path, about, bases.spec(), bases.tokenizer(), made.__getitem__)


def _edit(change: dict[str, Any]) -> None:
    file = store.folder() / "tiny" / "base.json"
    data = json.loads(file.read_text())
    data["spec"] |= change.pop("spec", {})
    file.write_text(json.dumps(data | change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "reads up to 1: update"),
        ({"format": True}, "no format number"),
        ({"licence": 3}, "values of the wrong kind"),
        ({"files": {}}, "does not list tokenizer.json"),
        ({"spec": {"heads": 3}}, "multiple of twice the 3 heads"),
        ({"spec": {"key_value_heads": 3}}, "multiple of key_value_heads"),
        ({"spec": {"layers": 10**9}}, "layers is 1000000000"),
        ({"spec": {"vocabulary": 999_999, "width": 65_536, "heads": 1, "key_value_heads": 1}}, "parameters"),
        ({"spec": {"vocabulary": 300}}, "tokens, the network 300"),
        ({"spec": {"layers": 1}}, "do not fit the spec, beginning with 'layer1"),
        ({"spec": {"rope_base": "big"}}, "rope_base is 'big'"),
        ({"spec": {"rope_factors": [1.0]}}, "must hold 4 numbers or none"),
        ({"spec": {"colour": 1}}, "holds ['colour']"),
    ],
)
def test_a_damaged_description_is_refused_in_a_line(change: dict[str, Any], said: str) -> None:
    bases.add()
    _edit(change)
    with pytest.raises(BundleError) as refused:
        store.find("tiny")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_damaged_files_are_refused_in_a_line() -> None:
    bases.add()
    folder = store.folder() / "tiny"
    weights = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(weights[:-1])
    with pytest.raises(BundleError, match="damaged or cut"):
        store.find("tiny")
    (folder / "weights.safetensors").write_bytes(b"\xff" * 8 + weights[8:])
    with pytest.raises(BundleError, match="no safetensors file, or it is cut"):
        store.find("tiny")
    (folder / "weights.safetensors").write_bytes(weights)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(BundleError, match=r"tokenizer\.json is damaged"):
        store.find("tiny")


def test_a_spec_without_its_sizes_says_which() -> None:
    with pytest.raises(BundleError, match="lacks context, heads, inner, key_value_heads, layers, width"):
        LlamaSpec.from_json({"vocabulary": 300})
