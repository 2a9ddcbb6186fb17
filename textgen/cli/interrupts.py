"""Ctrl-C and a polite kill in a training: answered within a second, whatever the process is doing.

Python's own handlers run in the main thread, between two of its instructions. Loading TensorFlow or compiling
a step is one such instruction that takes seconds; so a thread listens as well.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

from textgen.training.checkpoints import lock
from textgen.training.reporting.events import Control

_PATIENCE_S = 0.5
_INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR = "\x1b[?25h"


def listen(control: Control) -> None:
    """Answer signals from now on, until the process ends.

    The first one ends a training with a checkpoint; before its first step, where there is nothing to keep, it
    ends the process. The second one ends the process at once, and the last checkpoint stays.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def handle(_number: int, _frame: FrameType | None) -> None:
        if not control.under_way and not control.cancelled:
            control.cancel()
            raise KeyboardInterrupt
        control.cancel()

    for number in _SIGNALS:
        # `nohup` ignores the end of its terminal, and so does what it starts.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def watch() -> None:
        before = False
        while data := os.read(reader, 1):
            if data[0] not in _SIGNALS:
                continue
            if before or not control.under_way:
                # The main thread may be about to end by itself, and more tidily.
                threading.Event().wait(_PATIENCE_S)
                _leave(at_once=before)
            before = True

    threading.Thread(target=watch, name="signals", daemon=True).start()


def _leave(*, at_once: bool) -> None:
    lock.abandon()
    why = "left at once; the last checkpoint stays" if at_once else "stopped before the first step"
    end = _SHOW_CURSOR if sys.stderr.isatty() else ""
    try:
        os.write(sys.stderr.fileno(), f"{end}interrupted: {why}\n".encode())
    finally:
        os._exit(_INTERRUPTED)
