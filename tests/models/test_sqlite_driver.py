"""The copy of SQLite that is used is the soundest there is."""

import sqlite3
from importlib.util import find_spec

import pytest

from models.sqlite_driver import DRIVER, FIRST_SOUND_VERSION


@pytest.mark.skipif(
    sqlite3.sqlite_version_info < FIRST_SOUND_VERSION and find_spec("pysqlite3") is None,
    reason="pysqlite3 has no wheel for this machine, and Python's own SQLite is older than 3.51.3",
)
def test_the_driver_has_no_wal_reset_bug() -> None:
    assert DRIVER.sqlite_version_info >= FIRST_SOUND_VERSION


def test_a_sound_standard_module_is_preferred() -> None:
    assert (DRIVER is sqlite3) == (
        sqlite3.sqlite_version_info >= FIRST_SOUND_VERSION or find_spec("pysqlite3") is None
    )
