"""SECURITY.md names only tests and faults that exist, and every fault."""

import re
from pathlib import Path

from tests.faults import harness


def test_every_promise_names_tests_that_exist(root: Path) -> None:
    text = (root / "SECURITY.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| **")]
    assert len(rows) >= 10
    for row in rows:
        named = re.findall(r"`((?:\w+/)+test_\w+\.py)`", row.split("|")[-2])
        faults = {
            name
            for words in re.findall(r"faults? ((?:`\w+`(?:, )?)+)", row.split("|")[-2])
            for name in re.findall(r"\w+", words)
        }
        assert named or faults, row
        for path in named:
            assert (root / "tests" / path).is_file(), path
        assert faults <= set(harness.names()), row


def test_readers_find_it(root: Path) -> None:
    assert "(SECURITY.md)" in (root / "README.md").read_text()
    assert (root / "SECURITY.md").read_text().index("## How to report")
