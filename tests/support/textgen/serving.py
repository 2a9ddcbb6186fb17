"""Requests of the sampling protocol, and a server that answers them in the process of the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textgen.serving.server import Server


def request(identity: str, bundle: Path, seed: str = "the ", **settings: Any) -> dict[str, Any]:
    return {"id": identity, "bundle": str(bundle), "seed": seed, "settings": settings}


def serve_all(server: Server) -> None:
    while not server.idle:
        server.advance()
