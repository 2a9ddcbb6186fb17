from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bot.installation import Installation
from tests.support.postgresql import PostgresServer, new_server, postgresql_server
from tests.support.textgen.bundles import write_random_bundle

__all__ = ["postgresql_server"]


@pytest.fixture(scope="session")
def random_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("random") / "bundle"
    write_random_bundle(path)
    return path


@pytest.fixture
def there(postgresql_server: PostgresServer, random_bundle: Path, tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path, postgresql_server.new_database(), random_bundle)
    yield installation
    installation.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that the test may stop."""
    server = new_server()
    yield server
    server.close()
