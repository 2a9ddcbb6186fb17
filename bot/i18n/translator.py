"""Translates the commands' descriptions, choices and menus for Discord.

Names of commands and options stay English: people tell each other what to type, in servers of many
languages. Only the name of a message's menu is translated, because nobody types it.
"""

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation

from bot import i18n

TYPED = frozenset(
    {
        TranslationContextLocation.command_name,
        TranslationContextLocation.group_name,
        TranslationContextLocation.parameter_name,
    }
)


class CatalogueTranslator(app_commands.Translator):
    """Looks up texts of the command tree in the catalogues."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the text in a language; None if it is not translated."""
        if context.location in TYPED and not isinstance(context.data, app_commands.ContextMenu):
            return None
        found = i18n.translated(string.message, locale.value)
        return None if found == string.message else found
