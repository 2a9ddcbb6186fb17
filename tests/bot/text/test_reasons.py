"""What people read of a failure: nothing of the host, no advice for a shell, and still the reason."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.reasons import IN_THE_LOG, for_people
from textgen.host.extras import how_to_add

CASES = [
    ("the trainer was ended by SIGKILL (perhaps the host ran out of memory)",) * 2,
    ("the loss is no number any more after 12 steps",) * 2,
    ("“and/or” 24/7, 1/2 and n/a at https://example.org/a/b stay",) * 2,
    ("/srv/bot/var/guilds/1/trainings/ab12/input.txt has 12 characters", "the text has 12 characters"),
    ("/data/x/validate.txt: byte 0x80 at offset 7", "the validation text: byte 0x80 at offset 7"),
    ("the bundle /srv/my bot is not there", "the bundle a file of the host bot is not there"),
    ("'/srv/my bot/x.json' is not there", "a file of the host is not there"),
    ("C:\\bots\\var\\model is damaged", "the model is damaged"),
    (
        "~/bot/spec.json, ./x and ../y are damaged",
        "a file of the host, a file of the host and a file of the host are damaged",
    ),
    ("the loss diverged; try a lower --learning-rate than 0.01", "the loss diverged"),
    (
        "it is not valid UTF-8; give --encoding latin-1, or give --encoding-errors replace",
        "it is not valid UTF-8",
    ),
    ("memory is short: lower --batch-size", "memory is short"),
    (
        f"the package tensorboardX is not installed; {how_to_add('tensorboard')}",
        "the package tensorboardX is not installed",
    ),
    ("run textgen train again", IN_THE_LOG),
    ("set TF_ENABLE_ONEDNN_OPTS=0", IN_THE_LOG),
    ("Traceback (most recent call last)", IN_THE_LOG),
    ('File "/usr/lib/python3/x.py", line 3, in f', IN_THE_LOG),
    ("tensorflow.errors.ResourceExhaustedError at 0x7ffe12345678", IN_THE_LOG),
    ("[Errno 28] No space left on device: '/srv/x'", "the host's disk is full"),
    ("[Errno 5] Input/output error: '/srv/x'", IN_THE_LOG),
    ("", IN_THE_LOG),
]


@pytest.mark.parametrize(("reason", "told"), CASES)
def test_a_reason_names_nothing_of_the_host(reason: str, told: str):
    assert for_people(reason) == told


@given(
    st.text(),
    st.sampled_from(["/srv/data/x.bin", "~/x", "--resume", "pip install x", "textgen train", "C:\\x\\y"]),
    st.sampled_from(["", " ", "; ", ": ", " (", "'", "\n"]),
)
def test_wherever_it_stands(text: str, secret: str, between: str):
    told = for_people(f"it failed{between} {secret} {text}")
    assert secret not in told
    assert not re.search(r"(?:^|\s)/srv|pip install|--resume\b", told)
