"""How much a server may store, and how much of the host's disk stays free: asked before a file is stored."""

import shutil
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from bot.errors import UserError
from bot.i18n import _, ngettext
from bot.infra.paths import Layout
from bot.settings import Settings
from bot.text import card_style
from models import Corpus, Database, TextModel
from models.shards import EVERY_GUILD, ServedShards
from models.training import usage

log = structlog.stdlib.get_logger(__name__)


def require_room(session: Session, guild_id: int, settings: Settings, *, name: str, added: int) -> None:
    """Check a server's quotas before a model is trained or imported.

    Args:
        session: an open SQLAlchemy session; that of the transaction that will insert the row, or an earlier
            one.
        guild_id: Discord id of the guild that will own the model.
        settings: of the host.
        name: the model's name; a model that has it already will be replaced.
        added: bytes that are stored with it, as far as they are known.

    Raises:
        UserError: a quota is reached; the text says what is used, what is allowed, and what to do.
    """
    used = usage.of_guild(session, guild_id)
    to_come = usage.models_to_come(session, guild_id, name)
    models = used.models + to_come
    if to_come and models > settings.max_models_per_guild:
        raise UserError(
            ngettext(
                "This server may have {limit} model, and has it, or trains it now. "
                "Delete it in /models first, or use its name to replace it.",
                "This server may have {limit} models, and has them, or trains them now. "
                "Delete one in /models first, or use the name of one to replace it.",
                settings.max_models_per_guild,
            ).format(limit=card_style.count(settings.max_models_per_guild))
        )
    if used.size + added > settings.max_bytes_per_guild:
        raise UserError(
            _(
                "The texts and models of this server take {used} of {limit}, and this would add {added}. "
                "Delete a model in /models, or let texts expire: /settings edit keep_corpora_days."
            ).format(
                used=card_style.size(used.size),
                limit=card_style.size(settings.max_bytes_per_guild),
                added=card_style.size(added),
            )
        )


def require_disk(settings: Settings, added: int) -> None:
    """Check that the host's disk keeps enough free room; blocks.

    Args:
        settings: of the host.
        added: bytes that are about to be stored.

    Raises:
        UserError: it does not; the text says what is left, what stays free, and what to do.
    """
    free = shutil.disk_usage(settings.data_dir).free
    if free - added < settings.min_free_bytes:
        log.error("refused for want of disk", free_bytes=free, kept_bytes=settings.min_free_bytes)
        raise UserError(
            _(
                "The host of this bot keeps {kept} of its disk free, and only {free} are left. Tell the "
                "person who hosts it, or delete models that you do not need in /models, and try again."
            ).format(kept=card_style.size(settings.min_free_bytes), free=card_style.size(free))
        )


def used_line(used: usage.Usage, settings: Settings) -> str:
    """Return what a server stores of what it may store, such as `3 of 100 models · 1.2 MiB of 4.0 GiB`."""
    models = ngettext(
        "{number} of {limit} model", "{number} of {limit} models", settings.max_models_per_guild
    ).format(number=card_style.count(used.models), limit=card_style.count(settings.max_models_per_guild))
    size = _("{used} of {limit}").format(
        used=card_style.size(used.size), limit=card_style.size(settings.max_bytes_per_guild)
    )
    return f"{models} · {size}"


def measure_old_files(database: Database, layout: Layout, served: ServedShards = EVERY_GUILD) -> int:
    """Record the size of served servers' files from before sizes were recorded; return how many; blocks."""
    return sum(_measure(database, layout, table, served) for table in (Corpus, TextModel))


def _measure(database: Database, layout: Layout, table: usage.Stored, served: ServedShards) -> int:
    done = after = 0
    while True:
        with database.read() as session:
            rows = usage.unmeasured(session, table, after, served)
        if not rows:
            return done
        after = rows[-1].id
        found = {row: size for row in rows if (size := size_of(layout.located(row.path))) is not None}
        if found:
            with database.write() as session:
                usage.measured(session, found)
        done += len(found)


def size_of(path: Path) -> int | None:
    """Return the bytes of a file, or of a folder's files; None if there is neither."""
    try:
        if path.is_dir():
            return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
        return path.stat().st_size
    except OSError:
        return None
