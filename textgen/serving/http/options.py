"""What the HTTP service is started with: its models, its address, its key, and its limits.

The command reads this for its help, so nothing large may be imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KEY_VARIABLE = "TEXTGEN_KEY"
"""The environment variable that can hold the key; the sampling process does not get it."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The addresses that only this host can reach."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, and all together, may take.

    Attributes:
        body_bytes: largest body of a request.
        prompt_characters: longest prompt.
        max_tokens: highest ``max_tokens``, and what a request gets that names none, if it is lower than the
            length of `textgen sample`.
        texts: most texts of one request: ``n`` times the number of prompts.
        at_once: requests that are written at once; a sampling process has a batch of 64 texts.
        waiting: requests that may wait for their turn; more are refused with 429.
        logprobs: most logarithms of one answer.
        deadline_s: seconds from the arrival of a request until its texts end where they are.
        connections: open connections; more are refused with 503.
        idle_s: seconds until a connection without a request is closed, and a body must have arrived.
        grace_s: seconds that running requests get when the service is told to end.
    """

    body_bytes: int = 1 << 20
    prompt_characters: int = 100_000
    max_tokens: int = 10_000
    texts: int = 32
    at_once: int = 128
    waiting: int = 512
    logprobs: int = 400_000
    deadline_s: float = 120.0
    connections: int = 1_000
    idle_s: float = 30.0
    grace_s: float = 10.0


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model of the service.

    Attributes:
        name: what requests call it.
        path: its bundle.
        created: when the bundle was written, in seconds since 1970.
    """

    name: str
    path: Path
    created: int


@dataclass(frozen=True, slots=True)
class Options:
    """What the service is started with.

    Attributes:
        models: by name, in the order of ``/v1/models``.
        host: the address to listen on.
        port: the port; 0 takes a free one.
        key: what requests must show; None lets everybody in who reaches the address.
        limits: what requests may take.
        processes: number of sampling processes; each has the models in memory.
    """

    models: dict[str, ServedModel]
    host: str
    port: int
    key: str | None
    limits: Limits
    processes: int = 1
