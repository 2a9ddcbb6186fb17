"""Threads that carry on the context of whoever starts them."""

import contextvars
import threading
from collections.abc import Callable
from typing import Any


def follower(name: str, target: Callable[..., object], *args: Any) -> threading.Thread:
    """Return a daemon thread, not started, whose log lines name the job that those here name."""
    return threading.Thread(
        target=contextvars.copy_context().run, args=(target, *args), name=name, daemon=True
    )
