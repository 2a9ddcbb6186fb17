"""The engines of the service: processes of `textgen serve`, which also writes the bot's texts.

Each batches the requests of all clients (`textgen.serving.server`). This process only passes lines on, so a
long step of a large model holds up no connection.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from textgen.serving.http.errors import ApiError
from textgen.serving.http.options import KEY_VARIABLE

_COMMAND = ("-m", "textgen", "serve")
_LONGEST_LINE = 16 << 20
_START_S = 60.0
_END_S = 5.0


class _EndedError(ApiError):
    """The sampling process ended before the answer was whole."""


class Sampler:
    """One sampling process. It is started again when it has ended."""

    def __init__(self) -> None:
        """Start without a process."""
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._open: dict[str, asyncio.Queue[dict[str, Any] | None]] = {}

    @property
    def open_requests(self) -> int:
        """Number of requests that the process has not answered yet."""
        return len(self._open)

    async def answers(self, asked: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the parts of an answer as they come; the last one is the whole answer.

        Whoever stops reading before the end frees the request's place in the batch. A process that ends
        before it has answered anything, as one that was killed a moment ago, is replaced once.

        Args:
            asked: a request of `textgen.serving.protocol`, without ``id``.

        Raises:
            ApiError: the request is refused, or the process ended.
        """
        begun = False
        for replaced in (False, True):
            try:
                async with aclosing(self._attempt(asked)) as told:
                    async for answer in told:
                        begun = True
                        yield answer
                return
            except _EndedError:
                if begun or replaced:
                    raise

    async def _attempt(self, asked: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        process = await self._running()
        identity = str(next(self._numbers))
        answers = self._open[identity] = asyncio.Queue()
        over, held = False, deque[dict[str, Any] | None]()
        try:
            await _send(process, {**asked, "id": identity})
            while not over:
                answer = held.popleft() if held else await answers.get()
                while answer is not None and "piece" in answer and not held and not answers.empty():
                    # A client that is slower than the engine gets fewer and longer pieces.
                    following = answers.get_nowait()
                    if following is not None and "piece" in following:
                        answer = _joined(answer, following)
                    else:
                        held.append(following)
                if answer is None:
                    over = True
                    raise _EndedError(500, "the sampling process ended; try again", retry_after_s=1)
                over = "piece" not in answer and "scores" not in answer
                if "error" in answer:
                    raise _refusal(answer["error"])
                yield answer
        finally:
            del self._open[identity]
            if not over:
                _write(process, {"op": "cancel", "id": identity})

    def restart(self) -> None:
        """End a process that does not answer any more; the next request starts another one."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def close(self) -> None:
        """End the process; the end of its input ends it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _END_S)
        if process.returncode is None:
            process.kill()
            await process.wait()

    async def _running(self) -> asyncio.subprocess.Process:
        async with self._starting:
            process = self._process
            if process is None or self._reader is None or self._reader.done():
                process = await self._start()
            return process

    async def _start(self) -> asyncio.subprocess.Process:
        environment = {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
        process = await asyncio.create_subprocess_exec(
            sys.executable, *_COMMAND,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE,
            env=environment,
            # Ctrl-C reaches the whole group, and texts that are being written may come to their end.
            start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None  # noqa: S101 -- it is a pipe
        self._process = process
        try:
            ready = await asyncio.wait_for(process.stdout.readline(), _START_S)
        except TimeoutError:
            ready = b""
        if not ready:
            self.restart()
            raise ApiError(503, "the sampling process does not start; try again", retry_after_s=5)
        self._reader = asyncio.create_task(self._read(process.stdout))
        return process

    async def _read(self, lines: asyncio.StreamReader) -> None:
        """Hand each answer to the request that waits for it, until the process ends."""
        try:
            async for line in lines:
                answer = json.loads(line)
                if (waiting := self._open.get(answer["id"])) is not None:
                    waiting.put_nowait(answer)
        except (ValueError, KeyError):
            # No line of the protocol, or one that is too long: whatever wrote it cannot be trusted any more.
            self.restart()
        finally:
            for waiting in self._open.values():
                waiting.put_nowait(None)


class Samplers:
    """Several sampling processes, and the choice of one for each request."""

    def __init__(self, size: int) -> None:
        """Start without a process.

        Args:
            size: number of processes, 1 or more.
        """
        self.all = tuple(Sampler() for _ in range(size))

    @property
    def open_requests(self) -> int:
        """Number of texts that the processes have not answered yet."""
        return sum(sampler.open_requests for sampler in self.all)

    def least_busy(self) -> Sampler:
        """Return the process with the fewest open texts; any of them writes the same text."""
        return min(self.all, key=lambda sampler: sampler.open_requests)

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(sampler.close() for sampler in self.all))


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return two pieces of a text as one."""
    scores = {"scores": first["scores"] + second["scores"]} if "scores" in first else {}
    return {**first, "piece": first["piece"] + second["piece"], **scores}


async def _send(process: asyncio.subprocess.Process, asked: dict[str, Any]) -> None:
    _write(process, asked)
    if process.stdin is not None:
        with suppress(ConnectionError):  # the reader sees the end of the process, too
            await process.stdin.drain()


def _write(process: asyncio.subprocess.Process, asked: dict[str, Any]) -> None:
    if process.stdin is not None and not process.stdin.is_closing():
        process.stdin.write(json.dumps(asked).encode() + b"\n")


def _refusal(error: dict[str, Any]) -> ApiError:
    """Return the error of a request that the process refuses."""
    if error["type"] == "SettingsError":
        # Every field was checked before, so this is about the text.
        return ApiError(400, error["message"], param="prompt")
    return ApiError(503, f"the model cannot be loaded: {error['message']}", code="model_unavailable")
