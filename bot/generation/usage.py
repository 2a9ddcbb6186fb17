"""Counts what each model wrote, and brings it to the database now and then instead of text by text."""

from collections import Counter

import structlog
from sqlalchemy.orm import Session

from models import Database, DatabaseError, text_models

log = structlog.stdlib.get_logger(__name__)


class GenerationCounter:
    """Texts written since they were last brought to the database; a crash loses those alone.

    Args:
        database: where the models are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._written: Counter[tuple[int, int]] = Counter()
        self._being_saved: Counter[tuple[int, int]] = Counter()

    def add(self, guild_id: int, model_id: int, texts: int) -> None:
        """Count texts of a guild's model."""
        self._written[guild_id, model_id] += texts

    def unsaved(self, guild_id: int, model_id: int) -> int:
        """Texts of a guild's model that its row does not count yet."""
        return self._written[guild_id, model_id] + self._being_saved[guild_id, model_id]

    def save(self) -> None:
        """Bring the counts to the database, and keep them if it cannot be reached; blocks."""
        self._being_saved = written = self._written
        self._written = Counter()
        if not written:
            return
        try:
            with self._database.write() as session:
                _add_all(session, written)
        except DatabaseError as error:
            log.warning("generations not counted for now", error=str(error))
            self._written.update(written)
        finally:
            self._being_saved = Counter()


def _add_all(session: Session, written: Counter[tuple[int, int]]) -> None:
    for (guild_id, model_id), texts in sorted(written.items()):
        text_models.count_generations(session, guild_id, model_id, texts)
