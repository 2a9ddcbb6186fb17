"""The keys of what is stored, and what they say. Pure."""

import re
from pathlib import PurePosixPath

from bot.infra.paths import CORPORA, GUILDS, JOBS, MODELS, TRAINED

CHECKPOINT = ".checkpoint"
BASE = "base"

_PACKED = re.compile(r"(?P<folder>.+)/(?P<sha256>[0-9a-f]{64})\.zip")
_TEXT = re.compile(r"(?:.+/)?(?P<sha256>[0-9a-f]{64})\.txt")
_PARTS = 4


def corpus_key(guild_id: int, sha256: str) -> str:
    """Return the key of a guild's text."""
    return f"{GUILDS}/{guild_id}/{CORPORA}/{sha256}.txt"


def bundle_key(guild_id: int, name: str) -> str:
    """Return the key of a bundle's folder."""
    return f"{GUILDS}/{guild_id}/{MODELS}/{name}"


def job_key(guild_id: int, job_id: str) -> str:
    """Return the key of the folder of what a job needs and leaves until it ends."""
    return f"{GUILDS}/{guild_id}/{JOBS}/{job_id}"


def checkpoint_key(guild_id: int, job_id: str, attempt: int) -> str:
    """Return the key of the folder of an attempt's checkpoint (`bot.infra.paths.Layout.trained`)."""
    if not attempt:
        return f"{bundle_key(guild_id, job_id)}{CHECKPOINT}"
    return f"{job_key(guild_id, job_id)}/{attempt}/{TRAINED}{CHECKPOINT}"


def base_key(guild_id: int, job_id: str) -> str:
    """Return the key of the copy of the bundle that a job trains further."""
    return f"{job_key(guild_id, job_id)}/{BASE}"


def of_job(guild_id: int, job_id: str) -> tuple[str, ...]:
    """Return the keys of everything that a job writes."""
    return bundle_key(guild_id, job_id), checkpoint_key(guild_id, job_id, 0), job_key(guild_id, job_id)


def packed_key(folder: str, sha256: str) -> str:
    """Return the key of a folder's zip."""
    return f"{folder}/{sha256}.zip"


def folder_of(key: str) -> str:
    """Return the key of the folder; a key that names no zip is returned unchanged."""
    match = _PACKED.fullmatch(key)
    return match["folder"] if match else key


def is_packed(key: str) -> bool:
    """Whether a key names a zip of a folder, as in an S3-like storage."""
    return _PACKED.fullmatch(key) is not None


def sha256_in(key: str) -> str | None:
    """Return the hash that a key promises of its content; None if it promises none."""
    match = _PACKED.fullmatch(key) or _TEXT.fullmatch(key)
    return match["sha256"] if match else None


def name_in(key: str) -> str:
    """Return the name of the text, bundle or job that a key belongs to.

    `guilds/1/models/NAME`, `guilds/1/models/NAME/SHA256.zip` and `guilds/1/corpora/NAME` belong to NAME. Of a
    path elsewhere it is the last part.
    """
    parts = key.split("/")
    return parts[_PARTS - 1] if parts[0] == GUILDS and len(parts) >= _PARTS else PurePosixPath(key).name


def guild_in(key: str) -> int | None:
    """Return the id of the guild that a key belongs to; None for other keys."""
    parts = key.split("/")
    return int(parts[1]) if len(parts) >= _PARTS and parts[0] == GUILDS and parts[1].isdecimal() else None
