"""A bundle as versions with one counted model wrote it: it is read, and writes the text that it wrote."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.textgen.bundles import write_random_bundle
from textgen.files import atomic, bundle_files
from textgen.model import TextModel

# Of the bundle of `random_bundle("linear")`, by the last version that knew no further experts.
HASHES = {
    "counts.safetensors": "d7a5519552eb6e0be78b033c5d624b4d5f19dae13b9ed40f5366faf3b38452a0",
    "spec.json": "645de294687b969007c4f3cbb9a43fbadc58dd9cbbe911db5330ec4560f7981a",
    "weights.safetensors": "eddfdb627f919f1bf36a80ac493257d4b8f29a4767c1c474399678cb1bb3de9e",
}
WRITTEN = (
    "l nAsBia\nl s suaenh\n.e,eroe\nnhé\neAeriBiC  lseis t\nhd.hs .eCer\ne s eiséou\n\nroa e  ,"
    "eAeruésélnaseo.éttC  he hsoBer h éu.er"
)


def test_it_is_read_and_writes_what_it_wrote(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "model", "linear")
    # A bundle without further experts is still written as that version wrote it, byte for byte.
    assert {name: atomic.sha256(tmp_path / "model" / name) for name in HASHES} == HASHES
    manifest = tmp_path / "model" / bundle_files.MANIFEST
    data = json.loads(manifest.read_text(encoding="utf-8"))
    assert data["format"] == bundle_files.FIRST_FORMAT == 2
    del data["expert_losses"]
    manifest.write_text(json.dumps(data), encoding="utf-8")
    model = TextModel.load(tmp_path / "model")
    assert model.generate("the ", length=120, temperature=0.9, random_seed=5) == WRITTEN
