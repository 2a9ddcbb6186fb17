"""The HTTP service as a real process, and OpenAI's client for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import openai

from tests.support.patience import PATIENCE_S

KEY = "a-key-of-the-tests"


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: Any
    headers: dict[str, str]


class Service:
    """A running `textgen serve --http`."""

    def __init__(self, *arguments: str | Path, key: str | None = KEY) -> None:
        command = [sys.executable, "-m", "textgen", "serve", "--http", "--port", "0"]
        environment = {**os.environ, **({"TEXTGEN_KEY": key} if key else {})}
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment,
        )  # fmt: skip
        assert self.process.stderr
        self.told = self.process.stderr.readline()
        self.url = self.told.rpartition(" at ")[2].strip()
        self.root = self.url.removesuffix("/v1")
        self.key = key or ""

    def client(self, **options: Any) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=self.url, api_key=self.key or "none", max_retries=0, timeout=100, **options
        )

    def ask(self, path: str, data: object = None, *, key: str | None = None, **headers: str) -> Answer:
        """Send a request by hand: bytes as they are, anything else as JSON."""
        body = data if isinstance(data, bytes) or data is None else json.dumps(data).encode()
        shown = self.key if key is None else key
        sent = {"Content-Type": "application/json", **({"Authorization": f"Bearer {shown}"} if shown else {})}
        request = urllib.request.Request(self.root + path, body, sent | headers)  # noqa: S310 -- it is our own address
        try:
            with urllib.request.urlopen(request, timeout=100) as answer:  # noqa: S310
                return Answer(answer.status, _parsed(answer.read()), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, _parsed(error.read()), dict(error.headers))

    def figure(self, name: str) -> float:
        """Return a figure of /metrics."""
        lines = self.ask("/metrics").body.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


@contextmanager
def serving(*arguments: str | Path, key: str | None = KEY) -> Iterator[Service]:
    service = Service(*arguments, key=key)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.communicate()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode()
