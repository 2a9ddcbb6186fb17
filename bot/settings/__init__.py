"""The settings of a host. `from bot.settings import Settings` is a name that other programs may rely on."""

from bot.settings.host import PREFIX, TOKEN_SHAPE, Settings, SettingsError
from bot.settings.loading import load_settings

__all__ = ["PREFIX", "TOKEN_SHAPE", "Settings", "SettingsError", "load_settings"]
