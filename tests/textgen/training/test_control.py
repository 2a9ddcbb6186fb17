"""A training whose starter falls silent is cancelled; one whose starter is there goes on."""

import os
import time

from textgen.training.reporting.events import Control


def test_silence_cancels_and_any_line_is_a_sign_of_life() -> None:
    reader, writer = os.pipe()
    control = Control()
    control.listen(os.fdopen(reader), patience_s=2.0)
    for _ in range(8):
        os.write(writer, b"alive\n")
        time.sleep(0.5)
    assert not control.cancelled
    silent_at = time.monotonic()
    while not control.cancelled:
        assert time.monotonic() - silent_at < 60
        time.sleep(0.1)
    assert time.monotonic() - silent_at >= 1.0
    os.close(writer)


def test_without_patience_silence_means_nothing() -> None:
    reader, writer = os.pipe()
    control = Control()
    control.listen(os.fdopen(reader))
    time.sleep(1.5)
    assert not control.cancelled
    os.close(writer)
