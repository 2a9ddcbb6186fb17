"""What the bot sees of its child processes from outside."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from bot.infra.children.process import is_runnable
from tests.support import needs

pytestmark = needs.process_states


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    """A process that computes without an end."""
    with subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) as process:
        yield process
        process.kill()


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


def test_a_process_that_wants_a_processor_is_told_from_one_that_stands_still(
    busy: subprocess.Popen[bytes],
) -> None:
    assert eventually(lambda: is_runnable(busy.pid))
    busy.send_signal(signal.SIGSTOP)
    assert eventually(lambda: not is_runnable(busy.pid))
    busy.send_signal(signal.SIGCONT)
    assert eventually(lambda: is_runnable(busy.pid))


def test_a_process_that_is_gone_wants_nothing(busy: subprocess.Popen[bytes]) -> None:
    busy.kill()
    busy.wait()
    assert not is_runnable(busy.pid)
