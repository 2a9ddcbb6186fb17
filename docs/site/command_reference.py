"""The reference of the two commands, from their help, and of the settings, from their fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
from annotated_types import Ge, Le
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from bot.cli import main as pastiche
from bot.settings import Settings
from textgen.cli import cli as textgen

WIDTH = 90
ABOUT = {
    "textgen": "Every command of `textgen` with its help, as `textgen COMMAND --help` prints it.",
    "pastiche": "Every command of `pastiche` with its help, as `pastiche COMMAND --help` prints it.",
}


def commands(name: str) -> str:
    """Return the page of a command.

    Args:
        name: "textgen" or "pastiche".
    """
    group: click.Command = {"textgen": textgen, "pastiche": pastiche}[name]
    lines = [f"# The command `{name}`", "", ABOUT[name], ""]
    for path, text in helps(group, name, None):
        if path != name:
            lines += [f"{'##' if path.count(' ') == 1 else '###'} `{path}`", ""]
        lines += ["```text", text, "```", ""]
    return "\n".join(lines)


def helps(command: click.Command, path: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """Yield each command with its help, a group before its commands.

    Args:
        command: the first one.
        path: its name as it is typed.
        parent: context of the group above.
    """
    given = {**command.context_settings, "terminal_width": WIDTH}
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent, **given)
    with context:
        yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from helps(below, f"{path} {name}", context)


def variable_of(name: str, field: FieldInfo) -> str:
    """Return the environment variable of a setting."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return next(str(choice) for choice in alias.choices if str(choice).isupper())
    return f"{Settings.model_config['env_prefix']}{name}".upper()


def settings() -> str:
    """Return the page of the settings."""
    lines = [
        "# Settings",
        "",
        "The bot and its workers read these from the environment or from the file `.env`. Where both name",
        "one, the environment counts. [`.env.example`](../files/env-example.md) is a file to begin with.",
        "",
        "| setting | default | allowed | what it is |",
        "|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f"`{field.default}`"
        about = re.sub(r"(?=[|<])", r"\\", field.description or "")
        lines.append(f"| `{variable_of(name, field)}` | {default} | {_allowed(field)} | {about} |")
    return "\n".join([*lines, ""])


def _allowed(field: FieldInfo) -> str:
    low = next((f"{limit.ge:,}" for limit in field.metadata if isinstance(limit, Ge)), "")
    high = next((f"{limit.le:,}" for limit in field.metadata if isinstance(limit, Le)), "")
    if low and high:
        return f"{low} to {high}"
    if low:
        return f"from {low}"
    if field.annotation is SecretStr or field.annotation is str:
        return "text"
    choices = getattr(field.annotation, "__args__", ())
    named = [f"`{choice}`" for choice in choices if isinstance(choice, str)]
    return ", ".join(named) or "text"
