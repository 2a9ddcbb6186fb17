"""Checks at the start of a process that the storage can be used, and that it is the one of the database."""

from bot.infra.storage.errors import StorageError
from bot.infra.storage.storage import Storage
from bot.settings import SettingsError
from models import Database, retention, text_models


def prepare(storage: Storage, database: Database) -> None:
    """Check the storage; blocks for up to some twenty seconds if it does not answer.

    Raises:
        SettingsError: it cannot be used, belongs to another database, or the models lie elsewhere.
        DatabaseError: the database cannot be used.
    """
    with database.read() as session:
        made_at = retention.database_made_at(session)
        elsewhere = text_models.count_stored(session, packed=not storage.is_remote)
    if elsewhere and storage.is_remote:
        raise SettingsError(
            f"{elsewhere} models of the database lie in the data directory, but PASTICHE_STORAGE names "
            f"{storage.shown}: move them by `pastiche backup` and `pastiche restore`, or unset it"
        )
    if elsewhere:
        raise SettingsError(
            f"{elsewhere} models of the database lie in an S3-like storage, but PASTICHE_STORAGE is not set: "
            "set it, or move them by `pastiche backup` and `pastiche restore`"
        )
    try:
        storage.prepare(made_at.isoformat() if made_at else "unknown")
    except StorageError as error:
        raise SettingsError(str(error)) from None
