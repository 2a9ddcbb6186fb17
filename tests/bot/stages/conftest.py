"""The stages. Each is started once, because starting its processes takes longer than the tests."""

import contextlib
from collections.abc import Iterator

import pytest

from bot.settings import Settings
from tests.support.bot.gateway_server import listening_apart
from tests.support.bot.s3 import KEY, S3, SECRET, s3_port
from tests.support.bot.stages import Stage
from tests.support.postgresql import new_server
from tests.support.textgen.bundles import write_random_bundle

__all__ = ["s3_port"]


@pytest.fixture(scope="module", params=[1, 2, 3], ids="stage {}".format)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage that runs until the tests of the module have ended."""
    number = request.param
    root = tmp_path_factory.mktemp(f"stage-{number}")
    write_random_bundle(root / "bundle")
    with contextlib.ExitStack() as ending:
        environment: dict[str, str] = {}
        given = {"name": "people", "database_url": ""}
        postgresql = s3 = None
        if number > 1:
            postgresql = new_server()  # of its own: tests stop it
            ending.callback(postgresql.close)
            environment["DATABASE_URL"] = given["database_url"] = postgresql.new_database()
        settings = Settings(_env_file=None, data_dir=root / "data", **given)
        if number > 2:
            s3 = S3(request.getfixturevalue("s3_port"))
            ending.callback(s3.proxy.close)
            settings = Settings(**s3.settings(root / "people" / "data", **given))
            environment |= {
                "PASTICHE_STORAGE": settings.storage,
                "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET,
            }
        stage = Stage(number, root, root / "bundle", settings, environment, postgresql, s3)
        ending.enter_context(listening_apart(stage.server))
        ending.callback(stage.close)
        stage.set_up()
        stage.start_missing()
        yield stage


@pytest.fixture
def stage(running: Stage) -> Stage:
    """A stage with all its processes, whatever the test before did to them."""
    running.start_missing()
    return running
