"""Values of a server's settings: checks a new value, and formats one for people."""

from typing import Any

import discord

from bot import i18n
from bot.errors import UserError
from bot.guilds import time_zones
from bot.guilds.permissions import is_gone, lacking_to_post
from bot.guilds.settings import SETTINGS, Kind, Setting
from bot.i18n import _, ngettext
from bot.text import card_style, safe_text
from models import GuildSettings

MOST_WORDS = 200
WORD_CHARACTERS = 60
WORDS_CHARACTERS = 4000
ZONE_CHARACTERS = 60


def checked(setting: Setting, received: Any) -> Any:
    """Return the value to store: a number within its bounds, a known time zone, or a list of words.

    Raises:
        UserError: the value is not accepted; the text says what was received and what is accepted.
    """
    match setting.kind:
        case Kind.DECIMAL | Kind.WHOLE:
            return _number(setting, received)
        case Kind.ZONE:
            return _zone(setting, received)
        case Kind.WORDS:
            return _words(setting, received)
        case Kind.LANGUAGE:
            return _language(setting, received)
        case _:
            return received


def shown(setting: Setting, value: Any, *, model_name: str | None = None) -> str:
    """Format a value for people.

    Args:
        setting: the setting.
        value: value of its column.
        model_name: name of the model, if the value is a model's id.
    """
    if value is None or value == "":
        return _(setting.unset)
    match setting.kind:
        case Kind.MODEL:
            return safe_text.safe(model_name or "–")
        case Kind.CHANNEL:
            return f"<#{value}>"
        case Kind.ROLE:
            return f"<@&{value}>"
        case Kind.WORDS:
            words = len(value.split("\n"))
            return ngettext("{number} word", "{number} words", words).format(number=words)
        case Kind.ZONE:
            return str(value)
        case Kind.LANGUAGE:
            return i18n.names().get(value) or str(value)
        case _:
            number = card_style.decimal(value)
            return f"{number} {_(setting.unit)}" if setting.unit else number


def changed(setting: Setting, settings: GuildSettings) -> bool:
    """Whether the server chose another value than the default."""
    return bool(getattr(settings, setting.column) != setting.default)


def stale(guild: discord.Guild | None, settings: GuildSettings) -> set[str]:
    """Return the options whose value no longer exists, such as a deleted channel or an old time zone."""
    options = set()
    for setting in SETTINGS:
        value = getattr(settings, setting.column)
        if value is None:
            continue
        match setting.kind:
            case Kind.CHANNEL:
                is_stale = is_gone(guild, channel_id=value)
            case Kind.ROLE:
                is_stale = is_gone(guild, role_id=value)
            case Kind.ZONE:
                is_stale = not time_zones.is_known(value)
            case Kind.LANGUAGE:
                is_stale = value != "" and value not in i18n.names()
            case _:
                is_stale = False
        if is_stale:
            options.add(setting.option)
    return options


def own_channel(guild: discord.Guild, setting: Setting, channel_id: int) -> int:
    """Check that a channel belongs to this server and that the bot may write in it; return its id.

    Raises:
        UserError: the server has no such channel, or the bot may not write there.
    """
    channel = guild.get_channel(channel_id)
    if channel is None:
        raise UserError(_("{option}: there is no such channel here.").format(option=f"`{setting.option}`"))
    lacking = lacking_to_post(channel.permissions_for(guild.me), channel, embeds=False)
    if lacking:
        raise UserError(
            _("{option}: I lack {permissions} in {channel}.").format(
                option=f"`{setting.option}`", permissions=lacking, channel=f"<#{channel_id}>"
            )
        )
    return channel_id


def own_role(guild: discord.Guild, setting: Setting, role_id: int) -> int:
    """Check that a role belongs to this server and can be given to people; return its id.

    Raises:
        UserError: the server has no such role, or it is the role of everyone.
    """
    if guild.get_role(role_id) is None:
        raise UserError(_("{option}: there is no such role here.").format(option=f"`{setting.option}`"))
    if role_id == guild.id:
        raise UserError(
            _("{option}: everyone has this role; to name none, use /settings reset.").format(
                option=f"`{setting.option}`"
            )
        )
    return role_id


def _number(setting: Setting, received: float) -> float:
    off = received == 0 and setting.least > 0
    if off or max(setting.low, setting.least) <= received <= setting.high:
        return received
    line = (
        _("{option} is {received}; it can be 0, or {low} to {high}.")
        if setting.least
        else _("{option} is {received}; it can be {low} to {high}.")
    )
    raise UserError(
        line.format(
            option=f"`{setting.option}`",
            received=card_style.decimal(received),
            low=card_style.decimal(max(setting.low, setting.least)),
            high=card_style.decimal(setting.high),
        )
    )


def _zone(setting: Setting, received: str) -> str:
    try:
        return time_zones.zone_named(received).key
    except time_zones.UnknownZone:
        raise UserError(
            _("{option} is “{received}”; it takes an IANA name such as Europe/Berlin.").format(
                option=f"`{setting.option}`", received=safe_text.safe_within(received, ZONE_CHARACTERS)
            )
        ) from None


def _language(setting: Setting, received: str) -> str:
    if received in i18n.names():
        return received
    raise UserError(
        _("{option} is “{received}”; it can be {languages}.").format(
            option=f"`{setting.option}`",
            received=safe_text.safe_within(received, ZONE_CHARACTERS),
            languages=", ".join(i18n.names().values()),
        )
    )


def _words(setting: Setting, received: str) -> str:
    cleaned = (" ".join(safe_text.clean(word).split()) for word in received.replace("\n", ",").split(","))
    words = list({word.casefold(): word for word in cleaned if word}.values())
    longest = max(map(len, words), default=0)
    if not words or len(words) > MOST_WORDS or longest > WORD_CHARACTERS:
        raise UserError(
            _(
                "{option} has {words} words, the longest of {longest} characters; "
                "it takes 1 to {most} words of up to {limit} characters."
            ).format(
                option=f"`{setting.option}`",
                words=len(words),
                longest=longest,
                most=MOST_WORDS,
                limit=WORD_CHARACTERS,
            )
        )
    return "\n".join(words)
