"""The systemd units: accepted by systemd, and hardened."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "deploy" / "systemd"
UNITS = sorted(path.name for path in FOLDER.glob("*.service"))
# systemd's own scale of 0 (safe) to 10; it calls 2.5 and less "OK".
EXPOSURE = 2.5


def analyzer() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    return program


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit whose program exists, as it does where Pastiche is installed."""
    text = (FOLDER / request.param).read_text()
    copy = tmp_path / request.param
    copy.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", text, flags=re.MULTILINE))
    return copy


def test_there_is_a_unit_for_the_bot_and_one_for_workers() -> None:
    assert UNITS == ["pastiche-worker@.service", "pastiche.service"]


def test_systemd_accepts_it(unit: Path) -> None:
    done = subprocess.run([analyzer(), "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_can_do_little(unit: Path) -> None:
    if (
        "--offline"
        not in subprocess.run([analyzer(), "--help"], capture_output=True, text=True, check=True).stdout
    ):
        pytest.skip("this systemd-analyze cannot rate a unit that is not loaded")
    command = [analyzer(), "security", "--offline=true", "--no-pager", unit]
    rated = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", rated)
    assert float(level) <= EXPOSURE, rated[-3000:]


def test_the_commands_exist_and_only_the_bot_gets_the_token() -> None:
    bot, worker = ((FOLDER / name).read_text() for name in ("pastiche.service", "pastiche-worker@.service"))
    assert re.findall(r"^ExecStart=(.*)", bot, re.MULTILINE) == ["/opt/pastiche/bin/pastiche run"]
    assert re.findall(r"^ExecStart=(.*)", worker, re.MULTILINE) == ["/opt/pastiche/bin/pastiche worker"]
    assert "LoadCredential=discord-token:" in bot
    assert "LoadCredential" not in worker
    assert "UnsetEnvironment=DISCORD_TOKEN DISCORD_TOKEN_FILE" in worker
    for text in (bot, worker):
        assert "LogNamespace=pastiche" in text, "rotated by journald@pastiche.conf"
    assert (FOLDER / "journald@pastiche.conf").is_file()
