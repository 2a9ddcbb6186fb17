"""Who may do what: checked whenever a command or a button is used.

`default_permissions` only hides a command, and an admin can show it again, so these checks decide.
"""

from typing import Any

import discord
from discord import app_commands

from bot.errors import PermissionRefused
from bot.i18n import _
from models import GuildSettings

Interaction = discord.Interaction[Any]


def guild_of(interaction: Interaction) -> int:
    """Return the id of the server an interaction comes from.

    Raises:
        NoPrivateMessage: it comes from a direct message.
    """
    if interaction.guild_id is None:
        raise app_commands.NoPrivateMessage
    return interaction.guild_id


def manages_guild(interaction: Interaction) -> bool:
    """Whether the person may manage the server; the owner and admins may."""
    return interaction.permissions.manage_guild


def has_role(interaction: Interaction, role_id: int | None) -> bool:
    """Whether the person holds the role."""
    member = interaction.user
    return isinstance(member, discord.Member) and role_id is not None and member.get_role(role_id) is not None


def is_of_channel(channel: object, chosen_id: int) -> bool:
    """Whether a channel is the chosen one, or one of its threads or forum posts."""
    return chosen_id in (getattr(channel, "id", None), getattr(channel, "parent_id", None))


def is_gone(
    guild: discord.Guild | None, *, channel_id: int | None = None, role_id: int | None = None
) -> bool:
    """Whether a chosen channel or role was deleted; False during an outage, when nobody knows."""
    if guild is None or guild.unavailable:
        return False
    if channel_id is not None:
        return guild.get_channel_or_thread(channel_id) is None
    return role_id is not None and guild.get_role(role_id) is None


def gone_channel() -> str:
    """Say what to do about a chosen channel that was deleted."""
    return _(
        "The channel that this server chose for its texts no longer exists. "
        "Someone with Manage Server can choose another one: /settings edit."
    )


def lacking_to_post(granted: discord.Permissions, channel: object, *, embeds: bool = True) -> str:
    """The permissions that it takes to write in a channel and that are not granted; empty if none is missing.

    Args:
        granted: permissions of the bot, or of a person, in the channel.
        channel: the channel; in a thread, and in the posts of a forum, another permission counts.
        embeds: what is written has embeds.

    Returns:
        Their names in the reader's language, with commas between them.
    """
    may_send = (_("Send Messages"), granted.send_messages)
    if isinstance(channel, discord.Thread):
        may_send = (_("Send Messages"), granted.send_messages_in_threads)
    elif isinstance(channel, discord.ForumChannel):
        may_send = (_("Send Messages in Posts"), granted.send_messages_in_threads)
    needed = [(_("View Channel"), granted.view_channel), may_send]
    if embeds:
        needed.append((_("Embed Links"), granted.embed_links))
    return ", ".join(name for name, is_granted in needed if not is_granted)


def require_manager(interaction: Interaction) -> None:
    """Require Manage Server, for settings and the server's data.

    Raises:
        PermissionRefused: the person may not; the text says which permission it takes.
    """
    if not manages_guild(interaction):
        raise PermissionRefused(_("You need the permission Manage Server for this."))


def require_trainer(interaction: Interaction, settings: GuildSettings) -> None:
    """Require Manage Server or the server's trainer role, for trainings.

    Raises:
        PermissionRefused: the person may not; the text says which permission it takes.
    """
    if manages_guild(interaction) or has_role(interaction, settings.trainer_role_id):
        return
    if settings.trainer_role_id is None:
        raise PermissionRefused(_("You need the permission Manage Server to train or change models."))
    if is_gone(interaction.guild, role_id=settings.trainer_role_id):
        raise PermissionRefused(
            _(
                "You need the permission Manage Server to train or change models, because the role that this "
                "server chose for it no longer exists. "
                "Someone with Manage Server can choose another one: /settings edit."
            )
        )
    role = f"<@&{settings.trainer_role_id}>"
    raise PermissionRefused(
        _("You need the permission Manage Server or the role {role} to train or change models.").format(
            role=role
        )
    )


def require_generator(interaction: Interaction, settings: GuildSettings) -> None:
    """Require the server's role for generating, if it chose one, or Manage Server.

    Raises:
        PermissionRefused: the person may not; the text says which permission it takes.
    """
    role_id = settings.generate_role_id
    if role_id is None or manages_guild(interaction) or has_role(interaction, role_id):
        return
    if is_gone(interaction.guild, role_id=role_id):
        raise PermissionRefused(
            _(
                "The role that this server chose for generating no longer exists. "
                "Someone with Manage Server can choose another one: /settings edit."
            )
        )
    raise PermissionRefused(
        _("You need the role {role} to generate texts here.").format(role=f"<@&{role_id}>")
    )


def require_scheduler(interaction: Interaction) -> None:
    """Require Manage Server, for schedules.

    Raises:
        PermissionRefused: the person may not; the text says which permission it takes.
    """
    if not manages_guild(interaction):
        raise PermissionRefused(_("You need the permission Manage Server for schedules."))


def require_canceller(interaction: Interaction, requested_by: int) -> None:
    """Require that the person asked for the training or has Manage Server, to cancel or finish it.

    Raises:
        PermissionRefused: the person may not; the text says which permission it takes.
    """
    if interaction.user.id == requested_by or manages_guild(interaction):
        return
    raise PermissionRefused(
        _("Only the person who asked for this training, or someone with Manage Server, can end it.")
    )


def require_channel(interaction: Interaction, settings: GuildSettings) -> None:
    """Require the channel that the server chose, or one of its threads; managers may use any channel.

    Raises:
        PermissionRefused: it is another channel; the text names the right one.
    """
    channel_id = settings.channel_id
    if channel_id is None or manages_guild(interaction):
        return
    if channel_id == interaction.channel_id or is_of_channel(interaction.channel, channel_id):
        return
    if is_gone(interaction.guild, channel_id=channel_id):
        raise PermissionRefused(gone_channel())
    raise PermissionRefused(
        _("On this server you can generate texts in <#{channel}> only.").format(channel=channel_id)
    )


def require_remover(interaction: Interaction, asked_by: int) -> None:
    """Require that the person asked for the text, or has Manage Server or Manage Messages, to delete it.

    Raises:
        PermissionRefused: the person may not; the text says which permission it takes.
    """
    if interaction.user.id == asked_by or manages_guild(interaction):
        return
    if interaction.permissions.manage_messages:
        return
    raise PermissionRefused(
        _(
            "Only the person who asked for this text, or someone with Manage Server or Manage Messages, "
            "can delete it."
        )
    )
