"""The commands that README and .ci/run promise."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.make import make

TARGETS = {
    *("help", "setup", "setup-base", "demo", "test", "docs", "faults"),
    *("lint", "bench", "lock", "audit", "clean"),
}


def test_make_alone_lists_every_command(root: Path) -> None:
    listed = set(re.findall(r"^make ([\w-]+)", make(root).stdout, re.MULTILINE))
    assert listed >= TARGETS


@pytest.mark.parametrize("document", ["README.md", "CHANGELOG.md", ".ci/run"])
def test_documents_name_only_commands_that_exist(root: Path, document: str) -> None:
    listed = set(re.findall(r"^make ([\w-]+)", make(root).stdout, re.MULTILINE))
    named = set(re.findall(r"(?:^|`|\$ )make ([a-z-]+)", (root / document).read_text(), re.MULTILINE))
    assert named <= listed


def test_an_old_python_is_refused_in_one_line(root: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    answer = make(root, "setup", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    assert answer.returncode == 2
    assert "needs Python 3.11" in answer.stderr
    assert "Python 3.9.2" in answer.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("installs", [False, True])
def test_an_audit_without_its_service_is_skipped_with_the_reason(
    root: Path, tmp_path: Path, installs: bool
) -> None:
    uv = tmp_path / "uv"
    version = "exit 0" if installs else "exit 1"
    uv.write_text(
        f'#!/bin/sh\ncase "$*" in *--version*) {version};; esac\necho "ERROR: no connection" >&2\nexit 1\n'
    )
    uv.chmod(0o755)
    answer = make(root, "audit", f"UV={uv}")
    assert answer.returncode == 0, answer.stderr
    (line,) = answer.stdout.splitlines()
    assert line.startswith("audit: skipped: ")
    assert ("no connection" in line) is installs


def test_an_audit_that_finds_something_fails(root: Path, tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text(
        '#!/bin/sh\ncase "$*" in *--version*) exit 0;; esac\necho "Found 1 known vulnerability"\nexit 1\n'
    )
    uv.chmod(0o755)
    answer = make(root, "audit", f"UV={uv}")
    assert answer.returncode == 2
    assert answer.stdout.count("Found 1 known vulnerability") == len(
        list((root / "requirements").glob("*.txt"))
    )


def test_the_ci_script_is_executable_and_reads_no_input(root: Path) -> None:
    script = root / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "exec </dev/null" in script.read_text()
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
