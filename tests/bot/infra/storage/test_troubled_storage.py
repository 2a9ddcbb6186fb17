"""A storage that is wrong, read-only, full, slow or away: one line, retries that end, and nothing lost."""

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.infra.storage import bucket, keys
from bot.infra.storage.address import read_address
from bot.infra.storage.errors import StorageError
from bot.settings import Settings, SettingsError
from tests.support.bot.s3 import KEY, S3, SECRET, lose_patience, opened, stored_keys
from tests.support.patience import PATIENCE_S


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    lose_patience(monkeypatch, 0.5)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that gives one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def line_of(settings: Settings) -> str:
    with pytest.raises(StorageError) as caught:
        opened(settings).prepare("today")
    line = str(caught.value)
    assert "\n" not in line
    assert SECRET not in line
    assert KEY not in line
    return line


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", "must be allowed to list, read, write and delete"),
        (403, "InvalidAccessKeyId", "does not accept this AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "does not accept this AWS_ACCESS_KEY_ID"),
        (507, "XMinioStorageFull", "is full (XMinioStorageFull): make room"),
        (503, "SlowDown", "failed (503 SlowDown)"),
        (400, "Strange", "failed (400 Strange)"),
    ],
)
def test_what_the_server_refuses_is_said_in_one_line(
    s3: S3, tmp_path: Path, status: int, code: str, words: str
):
    with answering(status, f"<Error><Code>{code}</Code></Error>".encode()) as url:
        line = line_of(Settings(**s3.settings(tmp_path, prefix="p", endpoint=url)))
    assert line.startswith("s3://pastiche/p at http://127.0.0.1:")
    assert words in line


def test_a_missing_bucket_is_named(s3: S3, tmp_path: Path):
    given = s3.settings(tmp_path) | {"storage": f"s3://nothing-here/p?endpoint={s3.direct}"}
    assert "there is no bucket nothing-here: create it" in line_of(Settings(**given))


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_away_or_silent_ends_the_patience(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bucket, "SMALL_S", 1)
    settings = Settings(**s3.settings(tmp_path))
    s3.proxy.away = True
    begun = time.monotonic()
    assert "cannot be reached" in line_of(settings)
    s3.proxy.away, s3.proxy.slow_after = False, 0
    assert "does not answer in time" in line_of(settings)
    assert time.monotonic() - begun < PATIENCE_S


def test_a_short_outage_is_not_noticed(s3: S3, tmp_path: Path):
    storage = opened(Settings(**s3.settings(tmp_path)))
    s3.proxy.away = True
    threading.Timer(0.7, lambda: setattr(s3.proxy, "away", False)).start()
    storage.prepare("today")
    storage.ready()


def test_a_storage_of_another_database_is_refused(s3: S3, tmp_path: Path):
    settings = Settings(**s3.settings(tmp_path))
    opened(settings).prepare("2026-01-01")
    opened(settings).prepare("2026-01-01")
    with pytest.raises(StorageError, match="belongs to another database"):
        opened(settings).prepare("2026-02-02")


def test_a_storage_whose_mark_is_gone_is_not_ready(s3: S3, tmp_path: Path):
    storage = opened(Settings(**s3.settings(tmp_path)))
    with pytest.raises(StorageError, match="was the bucket emptied"):
        storage.ready()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"storage": "/srv/pastiche"}, "is no address of a storage"),
        ({"storage": "s3://"}, "names no bucket"),
        ({"storage": f"s3://{KEY}:{SECRET}@bucket/p"}, "contains credentials"),
        ({"storage": f"s3://bucket/p?secret_access_key={SECRET}"}, "contains credentials"),
        ({"storage": "s3://bucket/p?colour=red"}, "unknown option 'colour'"),
        ({"storage": "s3://bucket/../other"}, "prefix"),
        ({"storage": "s3://bucket/p?endpoint=ftp://x"}, "does not begin with https://"),
        ({"aws_access_key_id": "", "aws_secret_access_key": None}, "AWS_ACCESS_KEY_ID is not"),
        ({"aws_secret_access_key": None}, "AWS_SECRET_ACCESS_KEY is not"),
    ],
)
def test_a_wrong_setting_is_said_in_one_line(
    s3: S3, tmp_path: Path, given: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with pytest.raises(SettingsError) as caught:
        read_address(Settings(**s3.settings(tmp_path) | given))
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


UPLOAD = """
import sys
from pathlib import Path
from bot.infra.storage.opening import open_storage
from bot.settings import Settings
storage = open_storage(Settings(_env_file=None, data_dir=Path(sys.argv[1])))
print(storage.store_folder(Path(sys.argv[2]), sys.argv[3]), flush=True)
"""


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_upload_that_is_killed_leaves_nothing_to_be_read_and_can_be_repeated(s3: S3, tmp_path: Path):
    given = s3.settings(tmp_path / "data")
    folder, key = tmp_path / "bundle", keys.bundle_key(7, "a" * 32)
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(os.urandom(2 << 20))
    environment = os.environ | {
        "PASTICHE_STORAGE": given["storage"],
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    command = [sys.executable, "-c", UPLOAD, str(tmp_path / "data"), str(folder), key]
    s3.proxy.slow_after = 500_000
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        until(lambda: s3.proxy.seen > 500_000)
        process.send_signal(signal.SIGKILL)
        assert process.communicate()[0] == ""
    s3.proxy.slow_after = None
    settings = Settings(**given)
    assert stored_keys(settings) == []
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert stored_keys(settings) == [done.stdout.strip()]
    with opened(settings).lease(done.stdout.strip()) as bundle:
        assert (bundle / "weights.safetensors").stat().st_size == 2 << 20
