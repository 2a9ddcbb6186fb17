"""The cache: bounded, never half an entry, never an entry less that somebody reads."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.infra.storage.cache import Cache
from tests.support.patience import PATIENCE_S


def writes(size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / "weights").write_bytes(b"x" * size) and None


def use(cache: Cache, key: str, size: int = 100) -> None:
    with cache.lease(key, writes(size)) as entry:
        assert (entry / "weights").stat().st_size == size


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("[!.]*/*"))


def test_the_least_recently_used_entries_go_when_it_is_full(tmp_path: Path):
    cache = Cache(tmp_path / "cache", 300)
    for key, moment in (("guilds/1/a", 1), ("guilds/1/b", 2), ("guilds/1/c", 3)):
        use(cache, key)
        os.utime(tmp_path / "cache" / key.replace("/", "_"), (moment, moment))
    use(cache, "guilds/1/a")  # now the newest
    use(cache, "guilds/1/d")
    assert sorted(cache.listing()) == ["guilds/1/a", "guilds/1/c", "guilds/1/d"]
    assert bytes_in(tmp_path / "cache") <= 300


def test_an_entry_in_use_is_never_deleted(tmp_path: Path):
    cache, other = (Cache(tmp_path / "cache", 150) for _ in range(2))
    with cache.lease("used", writes(100)) as entry:
        for name in "abc":
            use(other, name)
        other.forget("used")
        assert (entry / "weights").stat().st_size == 100
    use(other, "d")
    assert "used" not in cache.listing()


def test_forgetting_a_guild_leaves_others_whose_ids_begin_alike(tmp_path: Path):
    cache = Cache(tmp_path / "cache", 10_000)
    for key in ("guilds/1/models/a/x.zip", "guilds/1/models/ab/x.zip", "guilds/12/models/a/x.zip"):
        use(cache, key)
    cache.forget("guilds/1/models/a")
    assert sorted(cache.listing()) == ["guilds/1/models/ab/x.zip", "guilds/12/models/a/x.zip"]


def test_many_at_once_fill_an_entry_once(tmp_path: Path):
    cache, filled = Cache(tmp_path / "cache", 1000), []

    def fill(folder: Path) -> None:
        filled.append(folder)
        threading.Event().wait(0.1)
        writes(10)(folder)

    def read() -> None:
        with cache.lease("key", fill) as entry:
            assert (entry / "weights").exists()

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(filled) == 1


def test_a_failed_fill_leaves_nothing(tmp_path: Path):
    cache = Cache(tmp_path / "cache", 1000)

    def fail(folder: Path) -> None:
        writes(10)(folder)
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError), cache.lease("key", fail):
        pass
    assert list((tmp_path / "cache").iterdir()) == []


HAMMER = """
import random, sys
from pathlib import Path
from bot.infra.storage.cache import Cache
cache = Cache(Path(sys.argv[1]), 350)
drawn = random.Random(int(sys.argv[2]))
for number in range(100):
    name = f"key{drawn.randrange(6)}"
    def fill(folder):
        for part in range(3):
            (folder / f"part{part}").write_text(name * 8)
    with cache.lease(name, fill) as entry:
        assert sorted(path.read_text() for path in entry.iterdir()) == [name * 8] * 3, name
print("well")
"""


def test_two_processes_on_one_cache_never_see_half_an_entry(tmp_path: Path):
    running = [
        subprocess.Popen(
            [sys.executable, "-c", HAMMER, str(tmp_path / "cache"), str(seed)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2)
    ]
    told = [process.communicate(timeout=PATIENCE_S) for process in running]
    assert [out.splitlines()[-1:] for out, _ in told] == [["well"], ["well"]], told
    assert bytes_in(tmp_path / "cache") <= 350 + 6 * 120  # what was in use at the end may be there
