"""The sampling process: requests on standard input, answers on standard output.

It speaks `textgen.serving.protocol`. The process that starts it need not import NumPy. The end of the input
ends the process.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
from typing import IO, Any

from textgen.serving.server import Server

READ_AT_ONCE = 8
"""Requests that are accepted before the texts are continued."""


def serve(source: IO[str], target: IO[str]) -> None:
    """Answer the requests of a stream until it ends.

    Args:
        source: a request a line.
        target: gets an answer a line, in the order in which the texts end.
    """
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in source:
            lines.put(line)
        lines.put(None)

    def answer(data: dict[str, Any]) -> None:
        target.write(json.dumps(data) + "\n")

    threading.Thread(target=read, name="requests", daemon=True).start()
    server = Server(answer)
    answer({"ready": True})
    while True:
        try:
            for _ in range(READ_AT_ONCE):
                # Once a step at most: many texts that are streamed give many short lines.
                if server.idle:
                    target.flush()
                line = lines.get(block=server.idle)
                if line is None:
                    return
                server.handle(line)
        except queue.Empty:
            pass
        server.advance()
        target.flush()


def main() -> None:
    """Serve on standard input and output."""
    try:
        serve(sys.stdin, sys.stdout)
    except (BrokenPipeError, KeyboardInterrupt):
        # The client is gone, so there is nobody to report an error to.
        return
