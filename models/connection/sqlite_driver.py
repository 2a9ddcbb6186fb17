"""Which copy of SQLite to use.

SQLite 3.7.0 to 3.51.2 can, rarely, corrupt a WAL database when two connections write and checkpoint at the
same moment (https://sqlite.org/wal.html#walresetbug). Many Pythons are linked to such a copy; the package
pysqlite3 has a newer one in its wheels. All code that opens the application's file in this process must use
this module: two copies of SQLite on one file release each other's POSIX locks
(https://sqlite.org/howtocorrupt.html, 2.2.1).
"""

import sqlite3
from importlib import import_module
from types import ModuleType

FIRST_SOUND_VERSION = (3, 51, 3)


def _newest_sound() -> ModuleType:
    if sqlite3.sqlite_version_info >= FIRST_SOUND_VERSION:
        return sqlite3
    try:
        other = import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3
    return other if other.sqlite_version_info > sqlite3.sqlite_version_info else sqlite3


DRIVER = _newest_sound()
