"""The pretrained bases that the host offers for `/train base:`.

`textgen base list` tells what is on the host, in a process of its own: to read the files takes NumPy, which
the bot must not load.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.errors import UserError
from bot.i18n import _
from bot.infra.children.untrusted_input import Limits, OutOfMemory, OutOfTime, run_limited
from textgen.files import bases
from textgen.levels import SUBWORD

log = structlog.stdlib.get_logger(__name__)

LISTING = Limits(wall_s=60, processor_s=30, memory_bytes=2**30)
# Stands before a base's name in a choice, so that a model of the same name is not meant.
MARK = "pretrained:"
ENGLISH = "en"


@dataclass(frozen=True)
class OfferedBase:
    """A pretrained base that a server can choose.

    Attributes:
        name: what `--base` calls it.
        parameters: number of its weights.
        languages: codes of the languages that it was trained on; empty if its publisher does not say.
    """

    name: str
    parameters: int
    languages: tuple[str, ...]

    # Every base divides texts into the subwords that it brings with it.
    level = SUBWORD.name

    @property
    def choice(self) -> str:
        """What `/train base:` takes for it."""
        return f"{MARK}{self.name}"

    def described(self) -> str:
        """Its name, size and languages, in a line for a list of choices."""
        return _("{name} · pretrained on {languages}, {millions} million parameters").format(
            name=self.name,
            languages=", ".join(self.languages) or _("unknown languages"),
            millions=round(self.parameters / 1e6),
        )


def on_this_host() -> str:
    """Return the names of all bases of the host, as `PASTICHE_BASES` takes them."""
    folder = bases.folder()
    return ",".join(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ""


class Bases:
    """The bases that the host names in its settings and that are there.

    Args:
        wanted: their names, in the order in which they are offered.
    """

    def __init__(self, wanted: Sequence[str]) -> None:
        self._wanted = wanted
        self._offered: dict[str, OfferedBase] = {}

    def look(self) -> None:
        """Look which of them are on the host, and log what keeps the others from being offered; blocks."""
        if not self._wanted:
            return
        found = _found()
        for name in self._wanted:
            known = found.get(name)
            if known is None or known["error"]:
                reason = "it is not on this host" if known is None else known["error"]
                log.warning("a base is not offered; `pastiche base add` adds one", base=name, reason=reason)
                continue
            self._offered[name] = OfferedBase(name, known["parameters"], tuple(known["languages"]))

    def matching(self, typed: str) -> list[OfferedBase]:
        """Return those whose names begin with what was typed."""
        begun = typed.strip().lower().removeprefix(MARK)
        return [base for base in self._offered.values() if base.name.startswith(begun)]

    def named(self, typed: str) -> OfferedBase | None:
        """Return the one that a person named or chose, or None.

        Raises:
            UserError: it was removed from the host.
        """
        base = self._offered.get(typed.strip().lower().removeprefix(MARK))
        if base is not None and not (bases.folder() / base.name).is_dir():
            raise UserError(_("The base {base} is no longer on this host.").format(base=base.name))
        return base

    def for_english(self) -> OfferedBase | None:
        """Return the first one that was trained on English; None if none was."""
        return next((base for base in self._offered.values() if ENGLISH in base.languages), None)


def _found() -> dict[str, dict[str, Any]]:
    try:
        listed = run_limited("textgen", ["base", "list", "--json"], LISTING)
    except (OutOfMemory, OutOfTime) as error:
        log.error("the bases cannot be listed", reason=type(error).__name__)
        return {}
    if listed.returncode:
        log.error("the bases cannot be listed", reason=listed.stderr[-300:])
    return {base["name"]: base for base in map(json.loads, listed.stdout.splitlines())}
