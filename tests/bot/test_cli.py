"""`pastiche` as a process: exit codes, one-line errors, what its children get to see."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bot.infra.paths import Layout
from bot.settings import Settings
from tests.support.bot.processes import TOKEN, Pastiche, wait_for

IDLE_MIB = 160
FORBIDDEN = {"keras", "tensorflow", "torch", "jax"}


def pastiche(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    names = {"DISCORD_TOKEN", "DATABASE_URL", "PASTICHE_DATA_DIR"}
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        check=False,
        env=inherited | {"PYTHONPATH": str(Path(__file__).parents[2])} | environment,
    )


BAD_STARTS = [
    pytest.param((), {}, "DISCORD_TOKEN is not set", id="no token"),
    pytest.param(
        ("run",), {"DISCORD_TOKEN": "hello.you"}, "DISCORD_TOKEN is not a bot token", id="malformed token"
    ),
    pytest.param(
        ("run",),
        {"DISCORD_TOKEN": TOKEN, "PASTICHE_DATA_DIR": "/proc/no"},
        "the data directory /proc/no cannot be written to",
        id="unwritable data directory",
    ),
    pytest.param(
        ("worker",), {"PASTICHE_DATA_DIR": "/proc/no"}, "cannot be written to", id="worker, unwritable"
    ),
    pytest.param(
        ("migrate",), {"DATABASE_URL": "mysql://x/y"}, "mysql", id="a database that is none of ours"
    ),
    pytest.param(("check",), {}, "no bot is running on", id="check without a bot"),
    pytest.param(("run",), {"PASTICHE_SAMPLERS": "-1"}, "PASTICHE_SAMPLERS", id="a setting out of bounds"),
    pytest.param(
        ("run",),
        {"DISCORD_TOKEN": TOKEN, "PASTICHE_SHARDS": "2", "PASTICHE_SHARD_IDS": "1-2"},
        "PASTICHE_SHARD_IDS is '1-2': with 2 shards (PASTICHE_SHARDS) they are 0 to 1",
        id="a shard out of bounds",
    ),
]


@pytest.mark.parametrize(("arguments", "environment", "says"), BAD_STARTS)
@pytest.mark.slow
def test_what_the_host_can_put_right_is_one_line_and_exit_code_1(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], says: str
):
    done = pastiche(*arguments, cwd=tmp_path, **environment)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert says in line
    assert TOKEN not in line


def test_wrong_usage_is_exit_code_2(tmp_path: Path):
    assert pastiche("dance", cwd=tmp_path).returncode == 2


def test_check_loads_neither_discord_nor_the_database(tmp_path: Path):
    """A container asks it every half a minute, also on a machine with half a core."""
    script = (
        "import sys; from bot.cli import main\n"
        "try: main(['check'])\n"
        "except SystemExit as end: code = end.code\n"
        "print(code, sorted({'discord', 'sqlalchemy', 'dbos'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PASTICHE_DATA_DIR": str(tmp_path)},
    )
    assert done.stdout == "1 []\n", done.stderr
    assert "no bot is running" in done.stderr


@pytest.mark.slow
def test_base_is_the_librarys_command(tmp_path: Path):
    bases = {"TEXTGEN_BASES": str(tmp_path / "bases")}
    listed = pastiche("base", "list", cwd=tmp_path, **bases)
    assert (listed.returncode, listed.stdout) == (0, "")
    assert listed.stderr.startswith(f"no base in {tmp_path / 'bases'}")
    removed = pastiche("base", "remove", "lost", cwd=tmp_path, **bases)
    assert removed.returncode == 1
    assert removed.stderr.startswith("error: there is no base 'lost' on this host")
    assert "Add, list and remove pretrained bases" in pastiche("base", "--help", cwd=tmp_path, **bases).stdout


@pytest.mark.slow
def test_migrate_is_safe_to_repeat(tmp_path: Path):
    first, second = (pastiche("migrate", cwd=tmp_path) for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr
    assert first.stdout == second.stdout


@pytest.mark.slow
def test_a_second_process_of_one_name_is_refused(settings: Settings):
    settings.prepare_data_dir()
    with Pastiche(settings.data_dir, "worker") as first:
        wait_for(lambda: "job worker started" in first.log.read_text(), message=first.log.read_text)
        second = pastiche("worker", cwd=settings.data_dir, PASTICHE_DATA_DIR=str(settings.data_dir))
        assert second.returncode == 1
        assert f"process {first.process.pid} already works on" in second.stderr.splitlines()[-1]


BOT = """
import asyncio, sys
import simcord
from bot.app import create_bot
from bot.infra.logs import configure_logs
from bot.settings import load_settings

async def main():
    settings = load_settings()
    configure_logs(settings)
    env = simcord.Env(create_bot(settings))
    await env.start()
    print("MODULES", *sorted({name.split(".")[0] for name in sys.modules}), flush=True)
    import structlog
    structlog.get_logger("test").warning("logged on purpose", token=settings.require_token())
    await asyncio.Event().wait()

asyncio.run(main())
"""


@contextlib.contextmanager
def running_bot(folder: Path) -> Iterator[psutil.Process]:
    """The real bot in a process of its own, in a simulated Discord; its output is in bot.log."""
    log = folder / "bot.log"
    environment = os.environ | {"PASTICHE_DATA_DIR": str(folder / "data"), "DISCORD_TOKEN": TOKEN}
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-c", BOT], env=environment, stdout=output, stderr=output)
    try:
        layout = Layout(folder / "data")
        wait_for(lambda: layout.heartbeats() and "on purpose" in log.read_text(), message=log.read_text)
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_the_bot_is_small_well_and_keeps_its_token_to_itself(tmp_path: Path):
    with running_bot(tmp_path) as bot:
        log = (tmp_path / "bot.log").read_text()
        modules = set(log.split("MODULES", 1)[1].splitlines()[0].split())
        assert "discord" in modules
        assert not modules & FORBIDDEN
        assert bot.memory_info().rss < IDLE_MIB * 2**20

        assert "token=[token]" in log.replace("'", "")
        assert TOKEN not in log
        children = bot.children(recursive=True)
        assert children
        for child in children:
            assert TOKEN not in str(child.environ())
            assert not {name for name in child.environ() if "TOKEN" in name or "DATABASE" in name}

        done = pastiche("check", cwd=tmp_path, PASTICHE_DATA_DIR=str(tmp_path / "data"))
        assert done.returncode == 0, done.stderr
        assert f"process {bot.pid}" in done.stdout
        assert "is well" in done.stdout


@pytest.mark.slow
def test_a_killed_bot_leaves_no_process_behind_and_check_sees_it(tmp_path: Path):
    with running_bot(tmp_path) as bot:
        children = bot.children(recursive=True)
        bot.kill()
        bot.wait(10)
        _, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []
        done = pastiche("check", cwd=tmp_path, PASTICHE_DATA_DIR=str(tmp_path / "data"))
        assert done.returncode == 1
        assert f"process {bot.pid} of the bot is gone" in done.stderr
