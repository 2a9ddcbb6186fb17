"""The figures of the service for Prometheus, in a registry of their own."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from textgen.serving.http.admission import Admission
from textgen.serving.http.sampler import Samplers

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)


class Metrics:
    """Counts requests. Labels have few values: routes, statuses, and the names of the models served."""

    def __init__(self, models: Iterable[str], admission: Admission, samplers: Samplers) -> None:
        """Start at zero."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "textgen_http_requests",
            "Requests by route and status.",
            ("route", "status"),
            registry=self.registry,
        )
        self._texts = Counter(
            "textgen_texts", "Texts that came to their end.", ("model",), registry=self.registry
        )
        self._tokens = Counter(
            "textgen_tokens", "Tokens of prompts, and of texts.", ("model", "kind"), registry=self.registry
        )
        self._first = Histogram(
            "textgen_first_token_seconds", "From a request to the first part of its first text.",
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "textgen_completion_seconds", "From a request to the end of its texts.",
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        running = Gauge(
            "textgen_requests_running", "Requests that are being written.", registry=self.registry
        )
        running.set_function(lambda: admission.running)
        waiting = Gauge(
            "textgen_requests_waiting", "Requests that wait for their turn.", registry=self.registry
        )
        waiting.set_function(lambda: admission.waiting)
        texts = Gauge(
            "textgen_texts_running", "Texts that the engines write or keep waiting.", registry=self.registry
        )
        texts.set_function(lambda: samplers.open_requests)
        for model in models:
            self._texts.labels(model)

    def answered(self, route: str, status: int) -> None:
        """Count an answer."""
        self._requests.labels(route, str(status)).inc()

    def first_part(self, seconds: float) -> None:
        """Count the seconds to a first part."""
        self._first.observe(seconds)

    def completed(self, model: str, texts: int, usage: dict[str, int], seconds: float) -> None:
        """Count the texts of a request."""
        self._texts.labels(model).inc(texts)
        self._tokens.labels(model, "prompt").inc(usage["prompt_tokens"])
        self._tokens.labels(model, "text").inc(usage["completion_tokens"])
        self._seconds.observe(seconds)

    def exposition(self) -> bytes:
        """Return the figures in Prometheus' text format."""
        return generate_latest(self.registry)
