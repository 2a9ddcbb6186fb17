"""Has the picture of a text drawn in a child process; blocks."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import structlog

from bot.infra.children.untrusted_input import Limits, OutOfMemory, OutOfTime, run_limited

log = structlog.stdlib.get_logger(__name__)

DRAWING = Limits(wall_s=60, processor_s=20, memory_bytes=2**31)


def draw(picture: Mapping[str, Any]) -> bytes | None:
    """Return the picture as a PNG; None if it cannot be drawn, which no answer waits for.

    Args:
        picture: what `bot.authorship.picture` reads.
    """
    try:
        done = run_limited("bot.authorship.picture", [], DRAWING, told=json.dumps(picture))
        if done.returncode == 0:
            return base64.b64decode(done.stdout, validate=True)
        log.info("no picture of a text", code=done.returncode, reason=done.stderr[-300:])
    except (OutOfMemory, OutOfTime, binascii.Error) as error:
        log.info("no picture of a text", reason=type(error).__name__)
    return None
