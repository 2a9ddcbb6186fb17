"""A bot whose name a later process has taken leaves Discord and says why."""

import asyncio
from pathlib import Path

import pytest

from bot import app
from bot.infra.hosts.sign_of_life import Superseded
from bot.settings import Settings
from models import Database, Host, hosts
from tests.support.bot.gateway_server import gateway_server
from tests.support.bot.processes import TOKEN
from tests.support.patience import PATIENCE_S
from tests.support.postgresql import PostgresServer

pytestmark = pytest.mark.slow


async def test_a_bot_whose_name_is_taken_ends(
    postgresql_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        database_url=postgresql_server.new_database(),
        name="box",
        jobs="elsewhere",
    )
    database = Database(settings.database_url)

    def is_there() -> bool:
        with database.read() as session:
            return bool(hosts.living(session))

    async with gateway_server(monkeypatch), asyncio.timeout(PATIENCE_S):
        serving = asyncio.create_task(app._serve(settings, TOKEN))
        while not (settings.data_dir / "heartbeat-bot-box.json").exists():
            assert not serving.done(), serving.result()
            await asyncio.sleep(0.1)
        assert is_there()
        with database.write() as session:
            hosts.claim(session, Host(kind="bot", name="box", process_id="b" * 32, version="9"))
        with pytest.raises(Superseded, match=r"another bot \(version 9\) has taken the name “box”"):
            await serving
    database.dispose()
