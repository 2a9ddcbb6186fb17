"""`/about` tells what this bot is, to the person who asks."""

import datetime
import re
import tomllib
from pathlib import Path

import discord
import pytest

from bot.embeds.about_card import about_card
from tests.support.bot.world import World, answer, shown

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
NOW = datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC)


def fields(embed: discord.Embed) -> dict[str, str]:
    return {field.name: field.value for field in embed.fields}


async def test_it_shows_version_uptime_licence_and_what_is_stored_to_the_person_alone(world: World):
    stratford = world.place()
    message = answer(await stratford.member.slash(stratford.channel, "about"))
    assert message.ephemeral
    text = shown(message)
    assert f"Pastiche {PROJECT['version']}" in text
    assert PROJECT["license"] in text
    assert "/privacy show" in text
    (started,) = re.findall(r"<t:(\d+):R>", text)
    assert 0 <= discord.utils.utcnow().timestamp() - int(started) < 60
    await world.env.advance_time(10)
    assert f"<t:{started}:R>" in shown(answer(await stratford.member.slash(stratford.channel, "about")))


async def test_a_german_reads_it_in_german(world: World, monkeypatch: pytest.MonkeyPatch):
    stratford = world.place()
    world.speaks(monkeypatch, "de")
    text = shown(answer(await stratford.member.slash(stratford.channel, "about")))
    assert "Was gespeichert wird" in text
    assert "Lizenz" in text


def test_the_source_is_shown_where_the_package_names_one():
    package = {
        "version": "1.2",
        "license_expression": "MIT",
        "project_url": ["Issues, https://example.org/issues", "Source, https://example.org/pastiche"],
    }
    assert fields(about_card(package, NOW))["Source code"] == "https://example.org/pastiche"
    assert "Source code" not in fields(about_card({**package, "project_url": []}, NOW))


def test_code_that_is_not_installed_shows_what_is_known():
    embed = about_card({}, NOW)
    assert embed.title == "Pastiche"
    assert set(fields(embed)) == {"Started", "What is stored"}
