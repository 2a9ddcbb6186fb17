"""What is stored comes back the same, from the data directory and from an S3-like storage."""

import hashlib
from pathlib import Path

import pytest

from bot.infra.storage import keys
from bot.infra.storage.errors import Damaged
from bot.infra.storage.opening import open_storage
from bot.infra.storage.storage import Storage
from bot.settings import Settings
from tests.support.bot.s3 import S3, opened

TEXT = "Shall I compare thee to a summer's day?\n" * 9
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()
CORPUS = keys.corpus_key(7, SHA256)
BUNDLE = keys.bundle_key(7, "a" * 32)


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return open_storage(Settings(_env_file=None, data_dir=tmp_path / "data"))
    server: S3 = request.getfixturevalue("s3")
    return open_storage(Settings(**server.settings(tmp_path / "data")))


def keep_text(storage: Storage) -> None:
    upload = storage.layout.upload(7, "fresh")
    upload.parent.mkdir(parents=True, exist_ok=True)
    upload.write_text(TEXT)
    storage.store_file(upload, CORPUS)
    storage.settle(upload, CORPUS)
    assert not upload.exists()


def keep_bundle(storage: Storage, key: str = BUNDLE) -> str:
    folder = storage.layout.located(key)
    folder.mkdir(parents=True)
    for name in ("manifest.json", "weights.safetensors", "loss.png"):
        (folder / name).write_text(f"{name} of it")
    return storage.store_folder(folder, key)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_text_comes_back_for_samplers_and_for_trainers(storage: Storage, tmp_path: Path):
    keep_text(storage)
    with storage.lease(CORPUS) as path:
        assert path.read_text() == TEXT
    storage.fetch_file(CORPUS, tmp_path / "input.txt")
    assert (tmp_path / "input.txt").read_text() == TEXT
    assert storage.size(CORPUS) == len(TEXT)
    assert storage.sizes(7) == {"corpora": len(TEXT), "models": 0, "jobs": 0}


def test_a_bundle_comes_back_also_when_its_folder_is_gone(storage: Storage, tmp_path: Path):
    key = keep_bundle(storage)
    storage.drop_copy(storage.layout.located(BUNDLE))
    with storage.lease(key) as bundle:
        found = contents(bundle)
    assert found == {name: f"{name} of it" for name in ("manifest.json", "weights.safetensors", "loss.png")}
    storage.fetch_folder(key, tmp_path / "bundle")
    assert contents(tmp_path / "bundle") == found


def test_a_base_stays_when_the_model_that_it_was_is_deleted(storage: Storage, tmp_path: Path):
    base = keys.base_key(7, "b" * 32)
    key = keep_bundle(storage)
    storage.copy_folder(key, base)
    storage.delete(key)
    with pytest.raises(OSError, match=r"."), storage.lease(key) as gone:
        contents(gone)
    storage.fetch_folder(base, tmp_path / "base")
    assert len(contents(tmp_path / "base")) == 3


def test_what_is_deleted_is_gone_here_and_there(storage: Storage):
    keep_text(storage)
    key = keep_bundle(storage)
    for each in (CORPUS, key):
        with storage.lease(each):
            pass
        storage.delete(each)
    assert storage.size(CORPUS) == 0
    assert not [path for path in storage.layout.data_dir.rglob("*") if path.is_file()]
    assert set(storage.sizes(7).values()) == {0}


def test_what_was_never_stored_is_not_found(storage: Storage, tmp_path: Path):
    for call in (
        lambda: storage.fetch_file(CORPUS, tmp_path / "x"),
        lambda: storage.fetch_folder(BUNDLE, tmp_path / "y"),
        lambda: storage.copy_folder(BUNDLE, keys.base_key(7, "c" * 32)),
    ):
        with pytest.raises(FileNotFoundError):
            call()
    assert storage.read(f"{BUNDLE}/loss.png") is None
    storage.delete(BUNDLE)
    assert list(tmp_path.glob("[xy]")) == []


def test_a_text_that_is_deleted_between_upload_and_row_is_uploaded_again(s3: S3, tmp_path: Path):
    storage = opened(Settings(**s3.settings(tmp_path / "data")))
    upload = storage.layout.upload(7, "fresh")
    upload.parent.mkdir(parents=True)
    upload.write_text(TEXT)
    storage.store_file(upload, CORPUS)
    storage.delete(CORPUS)  # somebody else's upload of the same text
    storage.settle(upload, CORPUS)
    assert storage.size(CORPUS) == len(TEXT)


def test_a_changed_object_is_noticed_before_anybody_reads_it(s3: S3, tmp_path: Path):
    storage = opened(Settings(**s3.settings(tmp_path / "data")))
    keep_text(storage)
    key = keep_bundle(storage)
    storage.bucket.write(CORPUS, TEXT.replace("summer", "winter").encode())
    storage.bucket.write(key, b"PK no zip")
    with pytest.raises(Damaged, match="is damaged"):
        storage.fetch_file(CORPUS, tmp_path / "input.txt")
    with pytest.raises(Damaged, match="is damaged"), storage.lease(key):
        pass
    assert not (tmp_path / "input.txt").exists()
    assert storage.cache.listing() == []
