"""Opens the storage that the settings of a host name."""

from bot.infra.paths import Layout
from bot.infra.storage.address import read_address
from bot.infra.storage.bucket import Bucket
from bot.infra.storage.cache import Cache
from bot.infra.storage.folder import FolderStorage
from bot.infra.storage.objects import ObjectStorage
from bot.infra.storage.storage import Storage
from bot.settings import Settings

CACHE = "cache"


def open_storage(settings: Settings) -> Storage:
    """Return the storage; nothing is asked of it yet.

    Raises:
        SettingsError: its address is malformed, or there are no credentials.
    """
    layout = Layout(settings.data_dir)
    if not settings.storage:
        return FolderStorage(layout)
    bucket = Bucket(read_address(settings), settings)
    return ObjectStorage(layout, bucket, Cache(settings.data_dir / CACHE, settings.cache_bytes))
