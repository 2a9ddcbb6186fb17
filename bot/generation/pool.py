"""From a sampler request to its texts: wait for a fair turn, ask a process, try again if it dies.

The turns (`bot.generation.fair_queue`) keep one server from holding up another.
"""

import asyncio
import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from bot.errors import SampleRefused, SamplerUnavailable
from bot.generation.fair_queue import FairTurns
from bot.generation.local_files import LocalFiles, damaged
from bot.generation.process_choice import Lane, Usage, Weights
from bot.generation.processes import SamplerProcesses
from bot.generation.sampler import WorkerDied
from bot.generation.sampler_protocol import (
    Likelihood,
    LikelihoodRequest,
    ModelRequest,
    Refusal,
    SampledText,
    SamplerRequest,
    likelihood_of,
    texts_of,
)
from bot.i18n import _
from bot.infra.storage.storage import Storage
from bot.infra.watching.metrics import Failure, Metrics
from textgen.errors import SettingsError

log = structlog.stdlib.get_logger(__name__)

ATTEMPTS = 2
# Servers that each quick process writes for at a time, and texts for one of them. Few servers means few
# models: each is loaded once for all its requests, and there is no memory for many.
SERVERS = 2
FOR_ONE = 8
# Servers that the slow process writes for at a time, and the one of pretrained bases.
APART_SERVERS = 3
PRETRAINED_SERVERS = 2
PRETRAINED_FOR_ONE = 4


class SamplerPool:
    """Sampler processes behind one `samples` coroutine.

    Args:
        size: number of quick processes.
        timeout_s: seconds after which a sample is given up.
        storage: has the files that requests name; None: they contain paths.
        home: folder that the processes use as the user's home; None: the bot's own.
        metrics: of this process.
    """

    def __init__(
        self,
        size: int,
        *,
        timeout_s: float,
        storage: Storage | None = None,
        home: Path | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._files = LocalFiles(storage)
        self._timeout_s = timeout_s
        self._requests = itertools.count(1)
        self._turns = FairTurns(servers=SERVERS * size, for_one=FOR_ONE, apart=APART_SERVERS, usage=Usage())
        # Turns of their own: nobody's other texts wait behind those of a base.
        self._pretrained_turns = FairTurns(servers=PRETRAINED_SERVERS, for_one=PRETRAINED_FOR_ONE)
        self._weights = Weights()
        self.processes = SamplerProcesses(size, home)

    def start(self) -> None:
        """Start the processes; they warm up by themselves."""
        self.processes.start()

    def close(self) -> None:
        """End the processes; blocks for up to a few seconds."""
        self._files.close()
        self.processes.close()

    async def samples(self, request: SamplerRequest) -> tuple[SampledText, ...]:
        """Sample the texts of a request when it is its server's turn.

        Raises:
            SampleRefused: the model cannot do what is asked, or its bundle is damaged.
            SamplerUnavailable: no process answered in time, or two died over this request.
        """
        begun = time.monotonic()
        lane, answer = await self._answered(request, request.options.count)
        texts = texts_of(answer)
        characters = sum(len(text.text) for text in texts)
        self._metrics.sampled(lane.value, time.monotonic() - begun, characters)
        return texts

    async def likelihood(self, request: LikelihoodRequest) -> Likelihood:
        """Say how likely a model wrote a text, when it is the server's turn.

        Raises:
            SampleRefused: the text is too short, or the bundle is damaged.
            SamplerUnavailable: as for `samples`.
        """
        return likelihood_of((await self._answered(request, 1))[1])

    async def _answered(self, request: ModelRequest, texts: int) -> tuple[Lane, Mapping[str, Any]]:
        """Wait for the server's turn, and return a process's answer with the lane that it came from."""
        try:
            async with asyncio.timeout(self._timeout_s) as patience, self._files.of(request) as local:
                if local.pretrained:
                    async with self._pretrained_turns.turn(local.guild_id, texts):
                        patience.reschedule(None)
                        return Lane.PRETRAINED, await self._asked(local, Lane.PRETRAINED)
                heavy = await asyncio.to_thread(self._weights.is_heavy, *local.bundles)
                async with self._turns.turn(local.guild_id, texts, heavy=heavy) as lane:
                    patience.reschedule(None)  # from here on each attempt has its own time
                    return lane, await self._asked(local, lane)
        except TimeoutError:
            self._metrics.failed(Failure.SAMPLER)
            raise self._too_late() from None
        except SamplerUnavailable:
            self._metrics.failed(Failure.SAMPLER)
            raise

    async def _asked(self, request: ModelRequest, lane: Lane) -> Mapping[str, Any]:
        payload = request.as_json()
        for attempt in range(1, ATTEMPTS + 1):
            worker = self.processes.choose(payload["bundle"], lane)
            request_id = f"r{next(self._requests)}"
            future = worker.submit(request_id, payload)
            try:
                answer = await asyncio.wait_for(asyncio.wrap_future(future), self._timeout_s)
            except asyncio.CancelledError:
                worker.forget(request_id)
                raise
            except TimeoutError:
                worker.forget(request_id)
                if worker.silent_s >= self._timeout_s and worker.alive:
                    # It hangs. Its other requests are tried once more by another process.
                    log.warning("sampler does not answer", worker=worker.number)
                    worker.kill()
                raise self._too_late() from None
            except WorkerDied:
                log.warning("sample lost with its worker", worker=worker.number, attempt=attempt)
                continue
            if isinstance(answer, Refusal):
                raise _refused(answer)
            if "step_s" in answer:
                measured = {name: float(answer[name]) for name in ("load_s", "step_s")}
                self._weights.took(*request.bundles, **measured)
                self._metrics.sampling_step(lane.value, measured["step_s"])
            return answer
        raise SamplerUnavailable(
            _("The sampler stopped twice over this request. Please try again in a moment.")
        )

    def _too_late(self) -> SamplerUnavailable:
        return SamplerUnavailable(
            _(
                "The sampler did not answer within {seconds:g} s. Try a shorter length, or again later."
            ).format(seconds=self._timeout_s)
        )


def _refused(refusal: Refusal) -> SampleRefused:
    """The error for people: a seed or setting is refused in the sampler's words, a damaged bundle in ours."""
    if refusal.kind == SettingsError.__name__:
        return SampleRefused(refusal.message, refusal.line, refusal.values)
    log.error("a model cannot be sampled", kind=refusal.kind, reason=refusal.message)
    return damaged()
