"""Discord is given the command tree when anything in it changed, and only then."""

from pathlib import Path

import discord
import pytest
from discord import app_commands

from bot.infra.discord.command_sync import sync_if_changed
from tests.support.bot.world import World


class Catalogue(app_commands.Translator):
    """One word in German."""

    def __init__(self, german: str) -> None:
        self.german = german

    async def translate(self, string, locale, context):
        return self.german if locale is discord.Locale.german and "server" in string.message else None


async def synced(world: World) -> bool:
    return await sync_if_changed(world.bot.tree, world.bot.layout.tree_hash)


async def test_it_is_given_once(world: World):
    assert not await synced(world)
    await world.restart()
    puts = [each for each in world.env.http_requests if each.method == "PUT" and "commands" in each.path]
    assert len(puts) == 1


# All bots of a process share their commands, so what a test changes of one is put back.
def rename(world: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(world.bot.tree.get_command("help"), "description", "Another one.")


def describe_option(world: World, patch: pytest.MonkeyPatch) -> None:
    add = world.bot.tree.get_command("schedule").get_command("add")
    patch.setattr(add._params["when"], "description", "Another one.")


def ask_for_more(world: World, patch: pytest.MonkeyPatch) -> None:
    administrator = discord.Permissions(administrator=True)
    patch.setattr(world.bot.tree.get_command("schedule"), "default_permissions", administrator)


def remove(world: World, patch: pytest.MonkeyPatch) -> None:
    del patch  # the tree is this bot's own
    world.bot.tree.remove_command("help")


@pytest.mark.parametrize("change", [rename, describe_option, ask_for_more, remove])
async def test_any_change_of_a_command_is_sent(world: World, change, monkeypatch: pytest.MonkeyPatch):
    change(world, monkeypatch)
    assert await synced(world)
    assert not await synced(world)


async def test_a_changed_translation_is_sent(world: World):
    for german in ("Rechner", "Gemeinschaft"):
        await world.bot.tree.set_translator(Catalogue(german))
        assert await synced(world)
        assert not await synced(world)


async def test_commands_that_discord_lost_are_sent_again(world: World):
    await world.bot.http.bulk_upsert_global_commands(world.bot.application_id, [])
    assert await synced(world)


async def test_a_data_directory_without_the_hash_is_synced(world: World, tmp_path: Path):
    assert await sync_if_changed(world.bot.tree, tmp_path / "new.sha256")
