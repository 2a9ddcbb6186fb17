"""`/settings show`, `edit` and `reset`; their options come from the table `bot.guilds.settings.SETTINGS`."""

import inspect
from typing import Any, Optional

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.orm import Session

from bot import i18n
from bot.client import Interaction, Pastiche
from bot.commands import autocomplete
from bot.embeds.settings_card import Change, changes_card, options_card, settings_card
from bot.errors import UnknownModel, UserError
from bot.guilds import setting_values
from bot.guilds.permissions import guild_of, require_manager
from bot.guilds.settings import BY_OPTION, SETTINGS, Kind, Setting
from bot.i18n import _, marked
from bot.training import quotas
from bot.views.answering import Ack, answer, answers
from bot.views.persistent import view_of
from bot.views.recent_changes import ChangesButton, ChangesPage
from models import GuildSettings, audit, guilds, text_models
from models.training import usage
from models.training.usage import Usage

ALL = "all"


def _annotation(setting: Setting) -> Any:
    """The annotation from which discord.py makes an option."""
    match setting.kind:
        case Kind.DECIMAL:
            return app_commands.Range[float, float(setting.low), float(setting.high)]
        case Kind.WHOLE:
            return app_commands.Range[int, int(setting.low), int(setting.high)]
        case Kind.CHANNEL:
            return discord.TextChannel | discord.ForumChannel if setting.has_posts else discord.TextChannel
        case Kind.ROLE:
            return discord.Role
        case Kind.MODEL:
            return app_commands.Range[str, 1, 100]
        case Kind.LANGUAGE:
            return str
        case Kind.ZONE:
            return app_commands.Range[str, 1, setting_values.ZONE_CHARACTERS]
        case Kind.WORDS:
            return app_commands.Range[str, 1, setting_values.WORDS_CHARACTERS]


def _with_an_option_each(callback: Any) -> Any:
    """Give a command that takes `**chosen` one option for each setting."""
    signature = inspect.signature(callback)
    fixed = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    options = [
        inspect.Parameter(
            setting.option,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Optional[_annotation(setting)],  # noqa: UP045 - discord.py's ranges know no `|`
        )
        for setting in SETTINGS
    ]
    callback.__signature__ = signature.replace(parameters=[*fixed, *options])
    return callback


def _save(
    session: Session, guild_id: int, actor_id: int, wanted: dict[str, Any], action: str
) -> tuple[list[Change], dict[int, str]]:
    """Save the values that differ, and record each change in the audit log.

    Args:
        session: in a writing transaction.
        guild_id: Discord id of the server.
        actor_id: Discord id of the person.
        wanted: values by option; a model by its name.
        action: what the audit log calls it.

    Returns:
        What changed, and the names of the server's models.

    Raises:
        UserError: there is no such model, or no value differs.
    """
    name = wanted.get("default_model")
    if name is not None:
        model = text_models.by_name(session, guild_id, name)
        if model is None:
            raise UnknownModel(name)
        wanted["default_model"] = model.id
    before = guilds.settings_of(session, guild_id)
    asked = [
        Change(BY_OPTION[option], getattr(before, BY_OPTION[option].column), value)
        for option, value in wanted.items()
    ]
    changes = [change for change in asked if change.old != change.new]
    if not changes:
        raise UserError(_("Nothing changed: these are the values already."))
    values: Any = {change.setting.column: change.new for change in changes}
    guilds.edit(session, guild_id, **values)
    names = _model_names(session, guild_id)
    for change in changes:
        old, new = (_told(change.setting, value, names) for value in (change.old, change.new))
        audit.record(session, guild_id, actor_id, action, change.setting.option, old=old, new=new)
    return changes, names


def _told(setting: Setting, value: Any, names: dict[int, str]) -> Any:
    """What the audit log stores of a value: only the number of hidden words, and a model's name."""
    if setting.kind is Kind.WORDS:
        return len(value.split("\n")) if value else 0
    if setting.kind is Kind.MODEL:
        return names.get(value)
    return value


def _model_names(session: Session, guild_id: int) -> dict[int, str]:
    return {model.id: model.name for model in text_models.listing(session, guild_id)}


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class Settings(commands.GroupCog, group_name="settings", group_description="How this server uses the bot."):
    """The commands of a server's settings."""

    @app_commands.command(description="Show every setting of this server.")
    @answers(Ack.PRIVATELY)
    async def show(self, interaction: Interaction) -> None:
        """Answer with the card."""
        require_manager(interaction)

        def look_up(session: Session, guild_id: int) -> tuple[GuildSettings, dict[int, str], Usage]:
            names = _model_names(session, guild_id)
            return guilds.settings_of(session, guild_id), names, usage.of_guild(session, guild_id)

        bot = interaction.client
        settings, names, used = await bot.database.call(look_up, guild_of(interaction))
        guild_name = interaction.guild.name if interaction.guild else ""
        card = settings_card(
            guild_name,
            settings,
            names.get(settings.default_model_id or 0),
            setting_values.stale(interaction.guild, settings),
            used=quotas.used_line(used, bot.settings),
        )
        await answer(interaction, embeds=[card], view=view_of(ChangesButton()))

    @app_commands.command(description="Change settings of this server.")
    @app_commands.describe(**{setting.option: setting.description for setting in SETTINGS})
    @app_commands.autocomplete(
        default_model=autocomplete.models_for_managers, timezone=autocomplete.time_zones_matching
    )
    @app_commands.choices(
        language=[app_commands.Choice(name=name, value=code) for code, name in i18n.names().items()]
    )
    @_with_an_option_each
    @answers(Ack.PRIVATELY)
    async def edit(self, interaction: Interaction, /, **chosen: Any) -> None:
        """Check every given value, then save all of them or none."""
        require_manager(interaction)
        given = {option: value for option, value in chosen.items() if value is not None}
        if not given:
            await answer(interaction, embeds=[options_card()])
            return
        wanted = {
            option: self._checked(interaction, BY_OPTION[option], value) for option, value in given.items()
        }
        await self._change(interaction, wanted, "settings.changed")

    @app_commands.command(description="Set one setting, or all, back to the default.")
    @app_commands.describe(setting="Which one")
    @app_commands.choices(
        setting=[
            app_commands.Choice(name=marked("all settings"), value=ALL),
            *(app_commands.Choice(name=each.option, value=each.option) for each in SETTINGS),
        ]
    )
    @answers(Ack.PRIVATELY)
    async def reset(self, interaction: Interaction, setting: str) -> None:
        """Reset the named setting, or all of them."""
        require_manager(interaction)
        if setting != ALL and setting not in BY_OPTION:
            raise UserError(_("There is no such setting."))
        chosen = SETTINGS if setting == ALL else (BY_OPTION[setting],)
        await self._change(interaction, {each.option: each.default for each in chosen}, "settings.reset")

    def _checked(self, interaction: Interaction, setting: Setting, value: Any) -> Any:
        guild = interaction.guild
        if guild is None:
            raise app_commands.NoPrivateMessage
        if setting.kind is Kind.CHANNEL:
            return setting_values.own_channel(guild, setting, value.id)
        if setting.kind is Kind.ROLE:
            return setting_values.own_role(guild, setting, value.id)
        return setting_values.checked(setting, value)

    async def _change(self, interaction: Interaction, wanted: dict[str, Any], action: str) -> None:
        bot, guild_id, user_id = interaction.client, guild_of(interaction), interaction.user.id
        changes, names = await bot.database.call(_save, guild_id, user_id, wanted, action, write=True)
        for made in changes:
            if made.setting.kind is Kind.WORDS:
                bot.words.learn(guild_id, made.new)
        await answer(interaction, embeds=[changes_card(changes, names)])


async def setup(bot: Pastiche) -> None:
    """Add the commands to the bot."""
    bot.add_dynamic_items(ChangesButton, ChangesPage)
    await bot.add_cog(Settings())
