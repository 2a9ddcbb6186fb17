"""The copy of SQLite that is used is the soundest there is."""

import sqlite3
from importlib.util import find_spec

from models.connection.sqlite_driver import DRIVER, FIRST_SOUND_VERSION

STANDARD_IS_SOUND = sqlite3.sqlite_version_info >= FIRST_SOUND_VERSION


def test_the_driver_has_no_wal_reset_bug_wherever_a_sound_copy_is_to_be_had() -> None:
    """pysqlite3 has no wheel for some machines; there Python's own copy has to do."""
    to_be_had = STANDARD_IS_SOUND or find_spec("pysqlite3") is not None
    assert (DRIVER.sqlite_version_info >= FIRST_SOUND_VERSION) == to_be_had


def test_a_sound_standard_module_is_preferred() -> None:
    assert (DRIVER is sqlite3) == (STANDARD_IS_SOUND or find_spec("pysqlite3") is None)
