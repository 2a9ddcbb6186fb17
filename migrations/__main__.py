"""Drafts a revision: the difference between the tables in ``models`` and the newest revision.

``make migration MESSAGE="add schedules"`` (or ``python -m migrations "add schedules"``) writes
``versions/YYYYMMDD_add_schedules.py``; read it before it is committed.
"""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command

from migrations.runner import FOLDER, configuration, opened, upgrade
from models.connection.engine import parse_url


def draft(message: str, *, folder: Path = FOLDER) -> Path:
    """Write a revision file and return its path.

    Args:
        message: the change in a few words, such as "add schedules".
        folder: the folder of ``env.py`` and ``versions``.
    """
    slug = "_".join(re.findall(r"[a-z0-9]+", message.lower()))
    # Alembic's table of the current revision has room for 32 characters.
    revision = f"{datetime.now(UTC):%Y%m%d}_{slug}"[:32].rstrip("_")
    config = configuration(folder)
    config.set_main_option("file_template", "%%(rev)s")
    with TemporaryDirectory() as temporary:
        url = f"sqlite:///{temporary}/draft.sqlite"
        upgrade(url, folder=folder)
        with opened(parse_url(url), writes=True) as connection:
            config.attributes["connection"] = connection
            command.revision(config, message, autogenerate=True, rev_id=revision)
    return folder / "versions" / f"{revision}.py"


if __name__ == "__main__":
    message = " ".join(sys.argv[1:]).strip()
    if not message:
        sys.exit('error: say what changes: make migration MESSAGE="add a mood"')
    sys.stdout.write(f"{draft(message)}\n")
