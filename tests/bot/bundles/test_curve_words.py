"""A loss curve in words: what its picture shows, and nothing that a strange manifest makes of it."""

import json
from pathlib import Path

import pytest

from bot.bundles.curve_words import Losses, curve_words, files_of_bundle
from bot.i18n import locale
from bot.infra.storage import keys
from bot.infra.storage.opening import open_storage
from bot.infra.storage.storage import Storage
from bot.settings import Settings
from textgen.files.bundle_files import MANIFEST

BUNDLE = keys.bundle_key(7, "a" * 32)
UNKNOWN = "Curve of the losses of a training."
PICTURE = b"\x89PNG"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(Settings(_env_file=None, data_dir=tmp_path / "data"))


def described(storage: Storage, manifest: bytes) -> str | None:
    folder = storage.layout.located(BUNDLE)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_bytes(manifest)
    (file,) = files_of_bundle(storage, BUNDLE, PICTURE)
    return file.description


def test_it_names_where_the_losses_began_and_ended_and_the_lowest():
    points = [Losses(5, 2.5, None), Losses(60, 2.0, 2.25), Losses(65, 1.9, 2.0), Losses(90, 1.8, 2.125)]
    assert curve_words(points) == (
        "Curve of the validation loss over 1 min 30 s: from 2.250 nats to 2.125 nats, at its lowest 2.000 "
        "nats. The training loss went from 2.500 nats to 1.800 nats."
    )
    reader = locale.set("de")
    try:
        assert "von 2,250 Nats auf 2,125 Nats, am niedrigsten 2,000 Nats." in curve_words(points)
    finally:
        locale.reset(reader)


def test_a_bundle_is_described_by_its_manifest(storage: Storage):
    points = [{"seconds": 3, "validation_loss": 2}, {"seconds": 9, "training_loss": 1.5}]
    history = [points[0], "no point", {"seconds": True}, points[1]]
    assert described(storage, json.dumps({"history": history}).encode()) == (
        "Curve of the validation loss over 9 s: from 2.000 nats to 2.000 nats, at its lowest 2.000 nats. "
        "The training loss went from 1.500 nats to 1.500 nats."
    )


@pytest.mark.parametrize(
    "history", ["5", "[]", "[{}]", '[{"seconds": Infinity}]', '[{"seconds": 1' + "0" * 400 + "}]"]
)
def test_a_history_that_tells_nothing_leaves_a_description_without_figures(storage: Storage, history: str):
    assert described(storage, f'{{"history": {history}}}'.encode()) == UNKNOWN


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b"[" * 200_000])
def test_a_manifest_that_tells_nothing_leaves_a_description_without_figures(
    storage: Storage, manifest: bytes
):
    assert described(storage, manifest) == UNKNOWN


def test_without_a_picture_there_is_no_file(storage: Storage):
    assert files_of_bundle(storage, BUNDLE, None) == []
