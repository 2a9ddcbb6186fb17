"""How a command module says what it stores: a constant `STORES` beside the code that stores it.

`/privacy show` reads them out and PRIVACY.md repeats them; a test holds every module and every table to it.
"""

import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass

from bot.i18n import marked


@dataclass(frozen=True)
class Stored:
    """One kind of thing that is stored.

    Attributes:
        what: in the words of those whom it is about, marked for translation.
        table: where its rows are; its files, if it has any, lie in the server's folder.
        until: when and how it is deleted, marked for translation.
    """

    what: str
    table: str
    until: str


AUDIT_TRAIL = Stored(
    marked("Who changed, trained, deleted, scheduled or reported what, and when"),
    "audit_event",
    marked("until the server's data is deleted; a person's id, until they delete their data"),
)

MODELS = Stored(
    marked(
        "Models: name, figures, who made them, the weights, how often short pieces of the text come, "
        "up to 50 of its line starts, and of a text of one item a line a short hash of each"
    ),
    "text_model",
    marked("until they are deleted in /models or with the server's data"),
)


def statements(modules: Iterable[str]) -> dict[str, tuple[Stored, ...]]:
    """What each module states, by the module's name.

    Raises:
        AttributeError: a module states nothing, not even that it stores nothing.
    """
    return {name: tuple(importlib.import_module(name).STORES) for name in modules}


def command_modules() -> list[str]:
    """Every module that must state what it stores: those of commands, and every extension."""
    package = importlib.import_module("bot.commands")
    found = {module.name for module in pkgutil.walk_packages(package.__path__, "bot.commands.")}
    return sorted(found | set(package.EXTENSIONS))


def all_statements() -> tuple[Stored, ...]:
    """Every statement once, in the order of the modules."""
    stated = statements(command_modules()).values()
    return tuple(dict.fromkeys(statement for module in stated for statement in module))
