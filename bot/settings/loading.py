"""Reads the settings, and says in one line what is wrong with them."""

import re
from typing import Any

from pydantic import ValidationError

from bot.settings.host import PREFIX, Settings, SettingsError

# Fields whose values are not repeated in an error.
_SECRET = re.compile(r"token|secret|key", re.IGNORECASE)


def load_settings(**keywords: Any) -> Settings:
    """Return the settings from keywords, the environment and `.env`.

    Raises:
        SettingsError: a value is not accepted; the text names the setting and the accepted values.
    """
    try:
        return Settings(**keywords)
    except ValidationError as error:
        raise SettingsError("; ".join(_line(item) for item in error.errors())) from error


def _line(item: Any) -> str:
    if not item["loc"]:
        return str(item["msg"]).removeprefix("Value error, ")
    field = str(item["loc"][0])
    name = field if field.isupper() else f"{PREFIX}{field.upper()}"
    received = "" if _SECRET.search(field) else f" is {item['input']!r}:"
    told = str(item["msg"]).removeprefix("Value error, ")
    return f"{name}{received} {told[0].lower()}{told[1:]}"
