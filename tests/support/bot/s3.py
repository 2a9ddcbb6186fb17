"""An S3 on loopback (moto's server, a process of its own), and a network before it that fails."""

import asyncio
import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.infra.storage import bucket
from bot.infra.storage.objects import ObjectStorage
from bot.infra.storage.opening import open_storage
from bot.settings import Settings
from tests.support.patience import PATIENCE_S

BUCKET = "pastiche"
# In parts, so that nobody who looks for leaked credentials stops here.
KEY, SECRET = "AKIA" + "TESTTESTTEST", "made" + "-up-for-tests-" + "0123456789"
_prefixes = itertools.count()


class Proxy:
    """Passes bytes on to a server, unless told otherwise.

    Attributes:
        away: break every connection.
        slow_after: bytes of a request after which nothing is passed on any more; None: all is.
        seen: bytes of the longest request.
    """

    def __init__(self, port: int) -> None:
        self.away = False
        self.slow_after: int | None = None
        self.seen = 0
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._server: Any = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="proxy")
        self._thread.start()
        self._started.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(10)

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._server.close()
        self._loop.call_later(0.05, self._loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._started.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            writer.transport.abort()
            return
        with contextlib.suppress(OSError):
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._target)
            await asyncio.gather(self._pass(reader, onward, counted=True), self._pass(onward_reader, writer))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool = False
    ) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if self.away:
                    break
                passed += len(data)
                if counted:
                    self.seen = max(self.seen, passed)
                if counted and self.slow_after is not None and passed > self.slow_after:
                    await asyncio.Event().wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort() if self.away else writer.close()


class S3:
    """The server, and settings that name a fresh prefix of its bucket."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.direct = f"http://127.0.0.1:{port}"
        self.proxy = Proxy(port)

    def settings(
        self, data_dir: Path, *, prefix: str = "", endpoint: str = "", **given: Any
    ) -> dict[str, Any]:
        """Keywords of `Settings` for a bot that stores its files here."""
        prefix = prefix or self.new_prefix()
        return {
            "_env_file": None,
            "data_dir": data_dir,
            "storage": f"s3://{BUCKET}/{prefix}?endpoint={endpoint or self.proxy.url}",
            "aws_access_key_id": KEY,
            "aws_secret_access_key": SECRET,
        } | given

    @staticmethod
    def new_prefix() -> str:
        return f"{os.getpid()}-{next(_prefixes)}"


def opened(settings: Settings) -> ObjectStorage:
    storage = open_storage(settings)
    assert isinstance(storage, ObjectStorage)
    return storage


def stored_keys(settings: Settings) -> list[str]:
    """The keys of all texts and models, whatever the network does."""
    return [each.key for each in opened(settings).bucket.listing("guilds")]


@pytest.fixture(scope="session")
def s3_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = Path(sys.executable).with_name("moto_server")
    found = str(program) if program.exists() else shutil.which("moto_server")
    command = [found] if found else [sys.executable, "-m", "moto.server"]
    log = tmp_path_factory.mktemp("s3") / "log"
    port = _free_port()
    with log.open("wb") as file:
        server = subprocess.Popen([*command, "-H", "127.0.0.1", "-p", str(port)], stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                made = urllib.request.Request(f"http://127.0.0.1:{port}/{BUCKET}", method="PUT")
                urllib.request.urlopen(made, timeout=10).close()  # noqa: S310
                break
            except OSError:
                assert time.monotonic() < deadline, log.read_text()
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
        yield port
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def s3(s3_port: int) -> Iterator[S3]:
    server = S3(s3_port)
    yield server
    server.proxy.close()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def lose_patience(monkeypatch: pytest.MonkeyPatch, after_s: float) -> None:
    """Let every call of a storage give up after so many seconds."""
    for name in ("PATIENCE_S", "SHORT_PATIENCE_S"):
        monkeypatch.setattr(bucket, name, after_s)
