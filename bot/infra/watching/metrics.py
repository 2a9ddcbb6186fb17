"""The metrics of one process, for Prometheus.

No label holds an id, a name or a text: a label's values are few and known here, so that a bot of many servers
has no more time series than a small one, and nothing about people leaves the process.
"""

from enum import StrEnum
from typing import Any

import aiohttp
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

QUANTILES = (0.5, 0.99, 1.0)
SAMPLE_SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
JOB_SECONDS = (15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 86400)
DATABASE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15)

TOO_MANY_REQUESTS = 429


class Failure(StrEnum):
    """What can fail, as the label `kind` of the metric of failures."""

    UNEXPECTED = "unexpected"
    DATABASE = "database"
    DISK = "disk"
    TOO_LATE = "too_late"
    SAMPLER = "sampler"
    TRAINING = "training"
    POST = "post"


class Result(StrEnum):
    """How a training ended on this host, as the label `result` of the metric of jobs."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Metrics:
    """The metrics, in a registry of their own, so that two bots of one process share nothing."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.information = self._gauge("information", "1, with what runs here.", "kind", "version")
        self.guilds = self._gauge("guilds", "Servers that this process serves.")
        self.connected = self._gauge("gateway_connected", "Whether Discord is connected: 1 or 0.")
        self.shard_latency = self._gauge(
            "shard_latency_seconds", "Between a heartbeat to Discord and its answer.", "shard"
        )
        self.loop_lag = self._gauge(
            "event_loop_lag_seconds",
            "How late the event loop answered in the last five minutes, by quantile.",
            "quantile",
        )
        self.queue_jobs = self._gauge("queue_jobs", "Trainings that wait or run, of all processes.", "state")
        self.queue_oldest = self._gauge(
            "queue_oldest_seconds", "Age of the training that has waited longest; 0 if none waits."
        )
        self.disk_free = self._gauge("disk_free_bytes", "Free room where the data directory is.")
        self.database_up = self._gauge("database_up", "Whether the database answered the last look: 1 or 0.")
        self.database_seconds = self._histogram(
            "database_seconds", "Duration of transactions of this process.", DATABASE_SECONDS, "kind"
        )
        self.job_seconds = self._histogram(
            "job_seconds", "Duration of trainings on this host, by how they ended.", JOB_SECONDS, "result"
        )
        self.training_speed = self._gauge(
            "training_tokens_per_second", "Speed of the training that runs in this process; 0 if none runs."
        )
        self.sample_seconds = self._histogram(
            "sample_seconds", "From a request for texts to the texts, with its wait.", SAMPLE_SECONDS, "lane"
        )
        self.sample_speed = self._gauge(
            "sample_tokens_per_second", "Speed at which a text was written last, by lane.", "lane"
        )
        self.characters = self._counter("sample_characters", "Characters that models wrote.")
        self.failures = self._counter("failures", "What failed for people or for the host.", "kind")
        self.discord_responses = self._counter(
            "discord_responses", "Answers of Discord's HTTP interface; 429 is a rate limit.", "status"
        )
        for failure in Failure:  # a rate needs a first value
            self.failures.labels(failure.value)
        for result in Result:
            self.job_seconds.labels(result.value)
        self.discord_responses.labels(str(TOO_MANY_REQUESTS))

    def text(self) -> bytes:
        """Return all values in Prometheus' text format."""
        return generate_latest(self.registry)

    def failed(self, kind: Failure) -> None:
        """Count a failure."""
        self.failures.labels(kind.value).inc()

    def transaction(self, kind: str, seconds: float) -> None:
        """Record the duration of a database transaction; the kind is `read` or `write`."""
        self.database_seconds.labels(kind).observe(seconds)

    def sampled(self, lane: str, seconds: float, characters: int) -> None:
        """Record a request for texts that succeeded, from the request to the texts."""
        self.sample_seconds.labels(lane).observe(seconds)
        self.characters.inc(characters)

    def sampling_step(self, lane: str, seconds: float) -> None:
        """Record how long a sampler process takes for a token of each text, as it measured last."""
        if seconds > 0:
            self.sample_speed.labels(lane).set(1 / seconds)

    def discord_trace(self) -> aiohttp.TraceConfig:
        """Return what counts Discord's answers, for the HTTP client of discord.py."""

        async def ended(_session: Any, _context: Any, end: aiohttp.TraceRequestEndParams) -> None:
            status = end.response.status
            name = str(status) if status == TOO_MANY_REQUESTS else f"{status // 100}xx"
            self.discord_responses.labels(name).inc()

        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(ended)
        return trace

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"pastiche_{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"pastiche_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"pastiche_{name}", text, labels, buckets=buckets, registry=self.registry)
