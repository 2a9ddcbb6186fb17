"""SIGINT, SIGTERM and SIGHUP in a training: answered within a second, whatever the process is doing.

Python runs signal handlers in the main thread, between two bytecode instructions. Loading TensorFlow or
compiling a step is one instruction that takes seconds, so a thread listens for signals as well.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from types import FrameType

from textgen.cli import INTERRUPTED
from textgen.training.checkpoints import lock
from textgen.training.reporting.events import Control

_PATIENCE_S = 0.5
# Windows has no SIGHUP.
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_ALWAYS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = "\x1b[?25h"


def listen(control: Control) -> None:
    """Answer signals from now on, until the process ends.

    The first signal ends a training with a checkpoint. Before the first step there is nothing to save, so it
    ends the process. A second signal ends the process at once; the last checkpoint stays.
    """
    # No pipe: on Windows, signals wake sockets alone.
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def handle(_number: int, _frame: FrameType | None) -> None:
        if not control.under_way and not control.cancelled:
            control.cancel()
            raise KeyboardInterrupt
        control.cancel()

    for number in _SIGNALS:
        # `nohup` makes the command that it starts ignore SIGHUP; keep that.
        if number in _ALWAYS or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handle)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        # The thread keeps the writing end alive, which would be closed with the last reference to it.
        before, _writer = False, writer
        while data := reader.recv(1):
            if data[0] not in _SIGNALS:
                continue
            if before or not control.under_way:
                # Give the main thread the chance to end in an orderly way.
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
        os._exit(INTERRUPTED)
