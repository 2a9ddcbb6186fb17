"""The playground's clock and its page's clicks, over the page's own HTTP and faster than a person clicks."""

import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.demo import clock
from bot.demo.playground import FIRST_JOB, GUILD_ID, demo_settings, playground
from bot.infra.paths import Layout
from bot.settings import Settings

CLICKS = 40


@pytest.mark.slow
async def test_no_click_is_lost_to_a_tick(
    settings: Settings, trained_bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(clock, "TICK_S", 0.001)
    monkeypatch.setattr(clock, "_has_news", lambda database: True)
    settings = demo_settings(settings)
    shutil.copytree(trained_bundle, Layout(settings.data_dir).bundle(GUILD_ID, FIRST_JOB))
    async with playground(settings) as served:
        address, capability = served.url.split("/#")
        async with aiohttp.ClientSession(address, headers={"X-Simcord-Capability": capability}) as client:

            async def send(path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
                async with client.post(path, json=body, headers=headers) as answered:
                    assert answered.status == 200, await answered.text()
                    answer: dict[str, Any] = await answered.json()
                    return answer

            page = await send("/api/pages", {})
            context = page["context"]
            for number in range(1, CLICKS + 1):
                receipt = await send(
                    "/api/action",
                    {
                        "protocol_version": 3,
                        "kind": "send_message",
                        "content": f"message {number}",
                        "sequence": number,
                        "request_id": f"click {number}",
                        "generation": context["generation"],
                        "bot_generation": page["botGeneration"],
                        # As of when the page was opened: much has come since.
                        "published_revision": page["publishedRevision"],
                    },
                    **{"X-Simcord-Context": context["id"]},
                )
                assert not receipt["rejected"], receipt
                assert receipt["settlement"] == "settled", receipt
