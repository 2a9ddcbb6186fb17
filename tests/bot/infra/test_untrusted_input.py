"""What people send is read by children: within limits, few at a time, and every server has its turn."""

import asyncio
import errno
import os
import subprocess
import time
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.infra.children.untrusted_input import ChildPool, Limits, OutOfMemory, OutOfTime, run_limited
from bot.infra.paths import Layout
from bot.training.uploads import attachments, intake
from tests.support import needs
from tests.support.texts import hard_inputs
from tests.support.texts.chats import EXPORTS
from tests.support.texts.lookalikes import LOOKALIKES
from textgen.errors import CorpusError

MUCH = 2**30


def code(line: str) -> list[str]:
    return ["-n1", "-r1", line]


def test_a_child_that_takes_too_long_is_killed():
    begun = time.monotonic()
    with pytest.raises(OutOfTime):
        run_limited("timeit", code("import time; time.sleep(600)"), Limits(1.5, 60, MUCH))
    assert time.monotonic() - begun < 60


@needs.memory_limits
def test_a_child_has_its_share_of_the_processor_and_of_memory():
    with pytest.raises(OutOfTime):
        run_limited("timeit", code("while True: pass"), Limits(300, 1, MUCH))
    with pytest.raises(OutOfMemory):
        run_limited("timeit", code("b'a' * 10**10"), Limits(300, 60, MUCH))


@pytest.fixture
def pool():
    pool = ChildPool("test", 1)
    yield pool
    pool.close()


async def test_a_servers_second_upload_stands_behind_anothers_first(pool: ChildPool):
    order: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.05)
        order.append(number)

    mine = [asyncio.ensure_future(pool.call(1, work, 10 + number)) for number in range(4)]
    await asyncio.sleep(0)
    await asyncio.gather(*mine[:1], pool.call(2, work, 20), *mine[1:])
    assert order.index(20) <= 2


async def test_who_no_longer_waits_takes_nobodys_turn(pool: ChildPool):
    first = asyncio.ensure_future(pool.call(1, time.sleep, 0.2))
    await asyncio.sleep(0.05)
    second = asyncio.ensure_future(pool.call(1, time.sleep, 0.2))
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.wait_for(asyncio.gather(first, pool.call(2, time.sleep, 0)), 30)


async def test_the_event_loop_goes_on_while_a_pool_is_full_and_its_children_end_with_it(pool: ChildPool):
    waiting = asyncio.ensure_future(
        pool.call(1, run_limited, "timeit", code("import time; time.sleep(600)"), Limits(600, 60, MUCH))
    )
    await asyncio.sleep(0.5)
    assert not waiting.done()
    pool.close()
    with pytest.raises((OutOfTime, OutOfMemory)):
        await asyncio.wait_for(waiting, 60)


class TestIntake:
    def accepted(self, text: bytes, tmp_path: Path) -> intake.AcceptedText:
        source = tmp_path / "uploaded"
        source.write_bytes(text)
        try:
            return intake.accept(source, filename="a.txt", guild_id=1, layout=Layout(tmp_path))
        finally:
            source.unlink()

    def left(self, tmp_path: Path) -> list[Path]:
        return [path for path in tmp_path.rglob("*") if path.is_file()]

    def test_a_text_is_stored_clean(self, tmp_path: Path):
        text = self.accepted(b"To be\r\nor not to be. Caf\xc3\xa9\r\n" * 40, tmp_path)
        assert text.upload.read_text() == "To be\nor not to be. Café\n" * 40
        assert text.stats.characters == 25 * 40
        assert self.left(tmp_path) == [text.upload]

    @pytest.mark.parametrize("bad", hard_inputs.REFUSED[:4], ids=lambda bad: bad.name)
    def test_what_is_no_text_is_refused_as_ever(self, bad: hard_inputs.HardInput, tmp_path: Path):
        with pytest.raises(CorpusError) as refused:
            self.accepted(bad.data, tmp_path)
        for words in bad.says:
            assert words in str(refused.value)
        assert self.left(tmp_path) == []

    @pytest.mark.parametrize("name", ["WhatsApp, iOS, German", "IRC, irssi", "Telegram, JSON"])
    def test_a_chat_is_refused(self, name: str, tmp_path: Path):
        with pytest.raises(UserError, match="This looks like a"):
            self.accepted(EXPORTS[name]().encode(), tmp_path)
        assert self.left(tmp_path) == []

    @pytest.mark.parametrize("name", ["lyrics", "minutes", "a diary"])
    def test_what_only_looks_like_one_is_accepted(self, name: str, tmp_path: Path):
        assert self.accepted(LOOKALIKES[name]().encode(), tmp_path).stats.suspected_chat_log is None

    def test_a_text_that_takes_too_long_is_given_up_in_one_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(intake, "WALL_S", 0.01)
        with pytest.raises(UserError, match=r"takes too long to read: it was given up after"):
            self.accepted(hard_inputs.PROSE.encode() * 10, tmp_path)
        assert self.left(tmp_path) == []

    def test_a_disk_that_refuses_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        def no_room(*_given: object) -> subprocess.CompletedProcess[str]:
            return subprocess.CompletedProcess([], 0, f'{{"errno": {errno.ENOSPC}}}', "")

        monkeypatch.setattr(intake, "run_limited", no_room)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            self.accepted(hard_inputs.PROSE.encode() * 10, tmp_path)
        assert self.left(tmp_path) == []


async def test_an_attachment_goes_to_the_disk_while_it_comes(tmp_path: Path):
    async def download(_url: str):
        for _ in range(40):
            yield b"a" * 65_536

    class Declared:
        url, size, filename = "x", 1, "a.txt"

    path = tmp_path / "folder" / "upload"
    await attachments.save(Declared(), 3 * 2**20, download, path)
    assert path.stat().st_size == 40 * 65_536
    with pytest.raises(UserError, match="is too large"):
        await attachments.save(Declared(), 2**20, download, tmp_path / "other")
