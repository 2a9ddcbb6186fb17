"""Import takes a bundle that Export made, and nothing else in the shape of a zip."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import simcord

from bot.bundles import archive as bundle_archive
from models import text_models
from tests.support.bot.world import Place, World, answer, private_line, shown
from textgen.files.bundle_files import COUNTS
from textgen.files.bundle_files import NEEDED as NAMES


@pytest.fixture
def empty(world: World) -> Place:
    return world.place("Abbey")


@pytest.fixture
def exported(trained_bundle: Path) -> bytes:
    packed = bundle_archive.pack(trained_bundle, 10 * 2**20)
    assert packed
    return packed


async def bring(place: Place, data: bytes, name: str = "Guest") -> simcord.InteractionResult:
    listed = answer(await place.admin.slash(place.channel, "models"))
    form = await place.admin.click(listed.message, label="Import")
    return await place.admin.submit_modal(form, {"name": name, "bundle": ("bundle.zip", data)})


@pytest.mark.slow
async def test_a_bundle_that_was_exported_comes_in_and_writes(world: World, empty: Place, exported: bytes):
    assert private_line(await bring(empty, exported)) == (
        "The model **Guest** is imported. Try it: `/generate model:Guest`"
    )
    sample = answer(await empty.member.slash(empty.channel, "generate", seed="to be", length=30))
    assert sample.embeds[0].footer.text.startswith("Guest ·")
    card = shown(answer(await empty.member.slash(empty.channel, "models", model="Guest")))
    assert "Imported" in card
    assert "a corpus elsewhere" in card
    assert "already a model named “guest” here" in private_line(await bring(empty, exported, "guest"))


async def test_importing_takes_what_training_takes(world: World, empty: Place):
    listed = answer(await empty.member.slash(empty.channel, "models"))
    assert "You need the permission" in private_line(await empty.member.click(listed.message, label="Import"))


def rezipped(data: bytes, change: Callable[[dict[str, bytes]], None], folder: str = "") -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(folder + name, content)
    return made.getvalue()


def with_manifest(**values: object) -> Callable[[bytes], bytes]:
    def change(files: dict[str, bytes]) -> None:
        files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) | values).encode()

    return lambda data: rezipped(data, change)


def bit_flipped(files: dict[str, bytes]) -> None:
    weights = bytearray(files["weights.safetensors"])
    weights[-50] ^= 1
    files["weights.safetensors"] = bytes(weights)


def symlink(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in NAMES:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, "/etc/passwd")
    return made.getvalue()


def understated(data: bytes) -> bytes:
    """A file of 200 MB of zeros that says it has 10 bytes."""
    bomb = bytearray(rezipped(data, lambda files: files.update({"spec.json": bytes(200 * 2**20)})))
    at = 0
    while (at := bomb.find(b"spec.json", at)) >= 0:
        header = bomb.rfind(b"PK", 0, at)
        struct.pack_into("<L", bomb, header + (22 if bomb[header + 2] == 3 else 24), 10)
        at += 1
    return bytes(bomb)


def with_flags(at: int, value: int) -> Callable[[bytes], bytes]:
    """Change two bytes of every entry: `at` counts in its local header, 2 more in the directory."""

    def change(data: bytes) -> bytes:
        made = bytearray(data)
        for signature, offset in ((b"PK\x03\x04", at), (b"PK\x01\x02", at + 2)):
            place = -1
            while (place := made.find(signature, place + 1)) >= 0:
                struct.pack_into("<H", made, place + offset, value)
        return bytes(made)

    return change


def crowded(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(5000):
            archive.writestr(str(number), b"")
    return made.getvalue()


def plus(name: str, content: bytes = b"x") -> Callable[[bytes], bytes]:
    return lambda data: rezipped(data, lambda files: files.update({name: content}))


HOSTILE = {
    "no zip": (lambda data: b"nothing of that kind", "not a zip file"),
    "empty": (lambda data: b"", "not a zip file"),
    "cut off": (lambda data: data[: len(data) // 2], "not a zip file"),
    "packed in a way that is not read": (with_flags(8, 99), "has no place in one"),
    "encrypted": (with_flags(6, 1), "has no place in one"),
    "patched data": (with_flags(6, 0x20), "not a zip file, or it is damaged"),
    "of a later version": (with_flags(4, 99), "not a zip file, or it is damaged"),
    "a path out of the folder": (plus("../../manifest.json"), "has no place in one"),
    "an absolute path": (plus("/tmp/spec.json"), "has no place in one"),
    "a pickle": (plus("model.pkl"), "“model.pkl” has no place in one"),
    "a name that pings": (plus("@everyone.py"), "has no place in one"),
    "links": (symlink, "has no place in one"),
    "a file of zeros": (plus("tokenizer.json", bytes(300 * 2**20)), "its tokenizer.json is too large"),
    "sizes that are lies": (understated, "zip file"),
    "thousands of files": (crowded, "contains more than a model"),
    "a missing file": (
        lambda data: rezipped(data, lambda files: files.pop("spec.json")),
        "it lacks spec.json",
    ),
    "a flipped bit": (lambda data: rezipped(data, bit_flipped), "weights.safetensors is damaged"),
    "another network than it says": (with_manifest(cell="gru"), "tells of another model"),
    "a newer format": (with_manifest(format=99), "bundle format 99"),
    "a level that is none": (with_manifest(level=["x"]), "values of the wrong kind"),
    "a loss that is no number": (with_manifest(validation_loss=float("nan")), "values of the wrong kind"),
    "more characters than there are": (with_manifest(characters=10**40), "values of the wrong kind"),
    "very deep JSON": (plus("spec.json", b"[" * 100_000), "refused"),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.slow
async def test_a_damaged_bundle_is_refused_in_one_private_line_and_leaves_nothing(
    world: World, empty: Place, exported: bytes, kind: str
):
    spoil, says = HOSTILE[kind]
    line = private_line(await bring(empty, spoil(exported)))
    assert says in line
    assert "@everyone" not in line
    assert str(world.bot.layout.data_dir) not in line
    models = world.bot.layout.bundle(empty.guild.id, "x").parent
    assert not models.exists() or not list(models.iterdir())
    with world.bot.database.read() as session:
        assert not text_models.listing(session, empty.guild.id)


async def test_a_zip_larger_than_the_host_allows_is_not_even_opened(
    world: World, empty: Place, exported: bytes
):
    object.__setattr__(world.bot.settings, "max_bundle_bytes", 2048)
    assert "2.0 KiB are accepted" in private_line(await bring(empty, exported))


def test_a_bundle_in_a_folder_with_its_picture_is_as_good(exported: bytes, tmp_path: Path):
    data = rezipped(exported, lambda files: files.update({"loss.png": b"x"}), folder="model/")
    (tmp_path / "packed.zip").write_bytes(data)
    bundle_archive.unpack(tmp_path / "packed.zip", tmp_path / "unpacked")
    assert {path.name for path in (tmp_path / "unpacked").iterdir()} == {*NAMES, COUNTS}
