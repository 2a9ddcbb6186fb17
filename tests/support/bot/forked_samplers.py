"""Samplers of the tests: real processes with real pipes, forked off one that has imported the library.

A sampler takes most of its first second to import NumPy and the library, and the tests start some hundreds.
`tests/bot/generation/test_sampler_pool.py` starts them as the bot does.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from bot.infra.children.process import Child, child_environment, thread_limits
from tests.support.textgen.forking import ForkServer

_server = ForkServer(("textgen.cli.serve", "textgen.serving.stdio"), child_environment(thread_limits(1)))


def start(arguments: Sequence[str], *, environment: Mapping[str, str]) -> Child:
    """Start a sampler as `bot.infra.children.process.start_child` does."""
    (its_input, stdin), (stdout, its_output), (stderr, its_errors) = (os.pipe() for _ in range(3))
    theirs = (its_input, its_output, its_errors)
    process = _server.start(arguments[2:], Path.cwd(), environment, theirs)
    for each in theirs:
        os.close(each)
    streams = [
        os.fdopen(each, mode, encoding="utf-8", errors="replace")
        for each, mode in ((stdin, "w"), (stdout, "r"), (stderr, "r"))
    ]
    return Child(cast("subprocess.Popen[str]", process), *streams)
