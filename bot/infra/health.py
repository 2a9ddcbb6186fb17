"""The heartbeat of a bot or a worker: a file that a thread rewrites as long as the event loop answers.

The thread measures several times a second how long the loop takes to answer. So a blocked loop is measured
and, if it stays blocked, visible from outside, because the file gets old.
"""

import asyncio
import collections
import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from bot.settings import Settings
from textgen.files.atomic import write_bytes

log = structlog.stdlib.get_logger(__name__)

ASK_EVERY_S = 0.25
WRITE_EVERY_S = 5.0
KEPT = 1200


class Heartbeat:
    """Measures the event loop's lag and renews the heartbeat file.

    Args:
        path: path of the heartbeat file.
        is_ready: returns whether the bot has been connected.
        connected_at: returns the latest moment, in Unix seconds, at which the process was known to be
            connected to what it needs; None if it never was.
        kind: `bot` or `worker`.
        needs: what it must be connected to, in words.
        on_loop_closed: called from the thread if the loop is closed before `stop`, because the caller did not
            close the bot.
    """

    def __init__(
        self,
        path: Path,
        is_ready: Callable[[], bool],
        on_loop_closed: Callable[[], None] = lambda: None,
        *,
        connected_at: Callable[[], float | None] = time.time,
        kind: str = "bot",
        needs: str = "Discord",
    ) -> None:
        self._path = path
        self._about = {"kind": kind, "needs": needs, "host": socket.gethostname()}
        self._connected_at = connected_at
        self._is_ready = is_ready
        self._on_loop_closed = on_loop_closed
        self._lags: collections.deque[float] = collections.deque(maxlen=KEPT)
        self._ended = threading.Event()
        self._answered = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the thread; the loop must be running."""
        self._thread = threading.Thread(target=self._beat, args=(loop,), name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and delete the file."""
        self._ended.set()
        self._answered.set()
        if self._thread is not None:  # otherwise the file belongs to another process
            self._thread.join()
            self._take_away()

    def lag_s(self, share: float) -> float:
        """Return a quantile (0 to 1) of the latest lags, in seconds."""
        lags = sorted(self._lags)
        return lags[min(len(lags) - 1, int(share * len(lags)))] if lags else 0.0

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        written, was_ready = -WRITE_EVERY_S, False
        while not self._ended.wait(ASK_EVERY_S):
            asked = time.monotonic()
            self._answered.clear()
            with contextlib.suppress(RuntimeError):  # what a closed loop raises
                loop.call_soon_threadsafe(self._answered.set)
            while not self._answered.wait(ASK_EVERY_S):
                if loop.is_closed():
                    self._take_away()
                    self._on_loop_closed()
                    return
            now = time.monotonic()
            self._lags.append(now - asked)
            ready = self._is_ready()
            due = now - written >= WRITE_EVERY_S or ready is not was_ready
            if due and not self._ended.is_set():
                written, was_ready = now, ready
                self._write(ready=ready)

    def _write(self, *, ready: bool) -> None:
        beat = {
            **self._about,
            "pid": os.getpid(),
            "time": time.time(),
            "ready": ready,
            "connected_at": self._connected_at(),
            "lag_p99_ms": round(self.lag_s(0.99) * 1000, 1),
        }
        try:
            write_bytes(self._path, json.dumps(beat).encode(), durable=False)
        except OSError as error:  # the disk may be full for a while; `check` notices the old file
            if not self._failing:
                log.warning("heartbeat not written", error=error.strerror or str(error))
            self._failing = True
        else:
            self._failing = False

    def _take_away(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


class Unhealthy(Exception):
    """A process of this data directory is not healthy; `str()` says why."""


def check(settings: Settings, paths: Iterable[Path]) -> str:
    """Return a line about each process of this host that runs in the data directory, if all are healthy.

    Args:
        settings: of the host.
        paths: the heartbeats in the data directory. Those of other hosts are not looked at.

    Raises:
        Unhealthy: none is running, or one does not answer, or is not connected.
    """
    lines = [line for path in sorted(paths) if (line := _line(settings, path)) is not None]
    if not lines:
        raise Unhealthy(f"no bot is running on {settings.data_dir}, and no worker")
    return "\n".join(lines)


def _line(settings: Settings, path: Path) -> str | None:
    """Return a line about one process; None if it is on another host, or has just ended."""
    try:
        beat = json.loads(path.read_bytes())
        if beat.get("host", socket.gethostname()) != socket.gethostname():
            return None
        age_s, pid = time.time() - float(beat["time"]), int(beat["pid"])
        connected_at = beat.get("connected_at", beat["time"])
        apart_s = time.time() - float(connected_at or 0)
        kind, needs = beat.get("kind", "bot"), beat.get("needs", "Discord")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unhealthy(f"{path} cannot be read ({error})") from None
    who = f"the {kind} (process {pid})"
    if not _is_alive(pid):
        raise Unhealthy(f"process {pid} of the {kind} is gone")
    if age_s > settings.health_max_age_s:
        raise Unhealthy(f"{who} has not answered for {age_s:.0f} s")
    if not beat["ready"] or connected_at is None:
        raise Unhealthy(f"{who} is not connected to {needs}")
    if apart_s > settings.health_max_age_s:
        raise Unhealthy(f"{who} has had no connection to {needs} for {apart_s:.0f} s")
    return f"{who} is well; its event loop answers within {beat['lag_p99_ms']:g} ms (p99)"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
