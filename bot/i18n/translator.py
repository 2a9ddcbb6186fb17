"""Gives Discord the commands' descriptions, choices and menus in every language that has a catalogue.

Names of commands and options stay English: people tell each other what to type, in servers of many
languages. Only the name of a message's menu, which is picked and never typed, is translated.
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
    """Looks texts of the command tree up in the catalogues."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the text in a language; None where it is shown as it is."""
        if context.location in TYPED and not isinstance(context.data, app_commands.ContextMenu):
            return None
        found = i18n.translated(string.message, locale.value)
        return None if found == string.message else found
