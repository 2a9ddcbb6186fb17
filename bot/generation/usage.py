"""Counts the texts that each model wrote; the counts are saved every few seconds, not text by text."""

import threading
from collections import Counter

import structlog

from models import Database, DatabaseError, text_models

log = structlog.stdlib.get_logger(__name__)


class GenerationCounter:
    """Counts texts, and adds the counts to the models' rows; a crash loses only the unsaved ones.

    Args:
        database: the bot's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._written: Counter[tuple[int, int]] = Counter()
        self._being_saved: Counter[tuple[int, int]] = Counter()
        # `save` runs in a thread, while the event loop goes on to count.
        self._exchange = threading.Lock()

    def add(self, guild_id: int, model_id: int, texts: int) -> None:
        """Count texts that a model of a server wrote."""
        with self._exchange:
            self._written[guild_id, model_id] += texts

    def unsaved(self, guild_id: int, model_id: int) -> int:
        """Number of texts that a model's row does not count yet."""
        return self._written[guild_id, model_id] + self._being_saved[guild_id, model_id]

    def save(self) -> None:
        """Save the counts; if the database cannot be reached they are kept for the next time. Blocks."""
        with self._exchange:
            self._being_saved = written = self._written
            self._written = Counter()
        if not written:
            return
        try:
            with self._database.write() as session:
                for (guild_id, model_id), texts in sorted(written.items()):
                    text_models.count_generations(session, guild_id, model_id, texts)
        except DatabaseError as error:
            log.warning("generations not counted for now", error=str(error))
            with self._exchange:
                self._written.update(written)
        finally:
            self._being_saved = Counter()
