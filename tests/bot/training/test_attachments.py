"""Uploads are read from Discord's hosts alone, and never further than they may be, whatever was declared."""

import functools
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from bot.errors import UserError
from bot.training.uploads import attachments
from tests.support.bot.fault_server import FaultServer, fault_server

LIMIT = 500_000
HERE = functools.partial(attachments.from_discord, hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with fault_server() as server:
        yield server


def declared(url: str, size: int = 2100) -> Any:
    return SimpleNamespace(url=url, size=size, filename="hamlet.txt")


async def test_a_file_is_read_whole(server: FaultServer):
    data = await attachments.read(declared(f"{server.url}/files/plain"), LIMIT, HERE)
    assert data == b"To be, or not to be.\n" * 100


async def test_one_that_never_ends_is_given_up_at_the_limit(server: FaultServer):
    with pytest.raises(UserError, match=r"hamlet.txt is too large: files of up to 488.3 KiB are accepted."):
        await attachments.read(declared(f"{server.url}/files/endless"), LIMIT, HERE)
    assert server.sent_bytes < 20 * LIMIT, "the rest is not waited for"


async def test_one_that_is_declared_too_large_is_not_asked_for(server: FaultServer):
    with pytest.raises(UserError, match="is too large"):
        await attachments.read(declared("https://nowhere.invalid/", LIMIT + 1), LIMIT, HERE)


@pytest.mark.parametrize("kind", ["breaks", "gone", "silent", "moved"])
async def test_one_that_does_not_come_is_refused_in_one_line(
    kind: str, server: FaultServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(attachments, "SILENCE_S", 0.5)
    with pytest.raises(UserError) as refused:
        await attachments.read(declared(f"{server.url}/files/{kind}"), LIMIT, HERE)
    assert str(refused.value).startswith("The file could not be fetched from Discord (")
    assert str(refused.value).endswith("). Please upload it again.")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "{server}/files/plain",
        "http://cdn.discordapp.com/a.txt",
        "https://cdn.discordapp.com.evil.example/a.txt",
        "https://cdn.discordapp.com@127.0.0.1/a.txt",
        "file:///etc/passwd",
        "https://127.0.0.1/a.txt",
        "",
    ],
)
async def test_no_other_host_is_asked(url: str, server: FaultServer):
    with pytest.raises(UserError, match="could not be fetched"):
        await attachments.read(declared(url.format(server=server.url)), LIMIT, attachments.from_discord)
    assert server.sent_bytes == 0
