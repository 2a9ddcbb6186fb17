"""Discord on loopback for real bot processes: servers, messages, slash commands.

A process reaches it by the setting DISCORD_API. The messages lie here, so they outlive the processes.
"""

import asyncio
import itertools
import time
from typing import Any

from aiohttp import web

from tests.support.bot.fault_server import FaultServer
from tests.support.bot.gateway_server import ME, PATH, GatewayServer, _json

JOINED = "2026-01-01T00:00:00+00:00"
EVERYTHING = str((1 << 50) - 1)
MANAGER = {"id": "77", "username": "ada", "discriminator": "0", "avatar": None}
TEXT_CHANNEL, SUBCOMMAND, CHAT_INPUT, APPLICATION_COMMAND = 0, 1, 1, 2


def guild_id_of(shard_id: int, count: int, number: int = 0) -> int:
    """Return the id of the numbered server of a shard."""
    return (240_000_000_000 // count * count + number * count + shard_id) << 22


def channel_id_of(guild_id: int) -> int:
    """Return the id of a server's first channel."""
    return guild_id + 1


def guild(guild_id: int, *, channels: int = 1, roles: int = 1) -> dict[str, Any]:
    """Return a server as GUILD_CREATE has it for a bot without further intents: itself is the only member.

    Args:
        guild_id: its id.
        channels: the number of its text channels.
        roles: the number of its roles, with @everyone.
    """
    role = {
        "color": 0,
        "colors": {"primary_color": 0},
        "hoist": False,
        "managed": False,
        "mentionable": False,
    }
    channel = {"type": TEXT_CHANNEL, "permission_overwrites": [], "nsfw": False, "parent_id": None}
    return {
        "id": str(guild_id),
        "name": f"Server {guild_id}",
        "owner_id": MANAGER["id"],
        "unavailable": False,
        "large": False,
        "member_count": 100,
        "joined_at": JOINED,
        "preferred_locale": "en-US",
        "features": [],
        "roles": [
            role
            | {"id": str(guild_id + 1000 * number), "name": f"role {number}", "position": number}
            | {"permissions": EVERYTHING, "flags": 0}
            for number in range(roles)
        ],
        "channels": [
            channel | {"id": str(guild_id + 1 + number), "name": f"channel-{number}", "position": number}
            for number in range(channels)
        ],
        "members": [{"user": ME, "roles": [], "joined_at": JOINED, "deaf": False, "mute": False, "flags": 0}],
        **{key: [] for key in ("threads", "emojis", "stickers", "voice_states", "presences")},
        **{key: [] for key in ("stage_instances", "guild_scheduled_events", "soundboard_sounds")},
        **dict.fromkeys(("premium_tier", "verification_level", "explicit_content_filter", "mfa_level"), 0),
        **dict.fromkeys(("default_message_notifications", "nsfw_level", "system_channel_flags"), 0),
    }


class DiscordServer(GatewayServer):
    """Discord, as far as the bot uses it.

    Attributes:
        posted: the messages and their faults.
    """

    def __init__(self) -> None:
        super().__init__()
        self.posted = FaultServer()
        self._answers: dict[str, asyncio.Future[float]] = {}
        self._numbers = itertools.count(1)

    def application(self) -> web.Application:
        application = web.Application(client_max_size=1 << 26)
        application.router.add_get("/gateway/", self._serve)
        channel = f"{PATH}/channels/{{channel}}/messages"
        application.router.add_post(channel, self.posted._message)
        application.router.add_patch(f"{channel}/{{message}}", self.posted._message)
        application.router.add_get(f"{PATH}/guilds/{{guild}}", self._guild)
        application.router.add_get(f"{PATH}/guilds/{{guild}}/members/{{member}}", self._member)
        application.router.add_post(f"{PATH}/interactions/{{id}}/{{token}}/callback", self._acknowledged)
        for method in ("POST", "PATCH"):
            application.router.add_route(
                method, f"{PATH}/webhooks/{{application}}/{{token}}{{rest:.*}}", self._answered
            )
        application.router.add_route("*", PATH + "/{rest:.*}", self._answer)
        return application

    def messages_in(self, channel_id: int) -> list[dict[str, Any]]:
        """Return the messages of a channel, the oldest first."""
        # A list of its own: the server may run in another thread.
        return [each for each in list(self.posted.messages.values()) if each["channel_id"] == str(channel_id)]

    async def slash(self, guild_id: int, count: int, name: str) -> float:
        """Use a slash command without options, and return the seconds until its answer stands there.

        Args:
            guild_id: the server in which it is used.
            count: the number of shards.
            name: such as "help" or "settings show".
        """
        number = next(self._numbers)
        token = f"token-{number}"
        answered = self._answers[token] = asyncio.get_running_loop().create_future()
        name, _space, below = name.partition(" ")
        command = next(each for each in self.commands if each["name"] == name)
        options = [{"name": below, "type": SUBCOMMAND, "options": []}] if below else []
        begun = time.perf_counter()
        member = {"user": MANAGER, "roles": [], "joined_at": JOINED, "deaf": False, "mute": False, "flags": 0}
        place = {"id": str(guild_id), "locale": "en-US", "features": []}
        channel = {"id": str(channel_id_of(guild_id)), "type": TEXT_CHANNEL, "name": "channel-0"}
        interaction = {
            "id": str(number + (1 << 60)),
            "application_id": "1",
            "type": APPLICATION_COMMAND,
            "data": {"id": command["id"], "name": name, "type": CHAT_INPUT, "options": options},
            "guild_id": str(guild_id),
            "guild": place,
            "channel_id": channel["id"],
            "channel": channel | {"guild_id": str(guild_id), "permissions": EVERYTHING},
            "member": member | {"permissions": EVERYTHING},
            "token": token,
            "version": 1,
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": EVERYTHING,
            "entitlements": [],
            "attachment_size_limit": 10_000_000,
            "authorizing_integration_owners": {"0": str(guild_id)},
            "context": 0,
        }
        socket = self.shards[(guild_id >> 22) % count]
        await socket.send_json({"op": 0, "s": 1, "t": "INTERACTION_CREATE", "d": interaction})
        return await asyncio.wait_for(answered, 60) - begun

    async def _guild(self, request: web.Request) -> web.Response:
        for each in self.guilds:
            if each["id"] == request.match_info["guild"]:
                return _json(each)
        return _json({"message": "Unknown Guild", "code": 10004}, 404)

    async def _member(self, request: web.Request) -> web.Response:
        person = MANAGER | {"id": request.match_info["member"]}
        return _json(
            {"user": person, "roles": [], "joined_at": JOINED, "deaf": False, "mute": False, "flags": 0}
        )

    async def _acknowledged(self, request: web.Request) -> web.Response:
        said = await request.json()
        if said["type"] == 4:  # a message at once
            self._tell(request.match_info["token"])
        return _json({"interaction": {"id": request.match_info["id"], "type": APPLICATION_COMMAND}})

    async def _answered(self, request: web.Request) -> web.Response:
        await request.read()
        self._tell(request.match_info["token"])
        message = {"id": str(next(self._numbers)), "channel_id": "1"}
        return _json(self.posted._keep(None, "answers", message, 0))

    def _tell(self, token: str) -> None:
        answered = self._answers.pop(token, None)
        if answered is not None and not answered.done():
            answered.set_result(time.perf_counter())
