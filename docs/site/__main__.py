"""`python -m docs.site`: stage the pages, write the reference, and build the site in strict mode."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from docs.site import reference, staging

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "docs"
EMPTY_HEADER = re.compile(r"<th[^>]*></th>")


def build(folder: Path) -> int:
    """Build the site into a folder, and return the exit code of the site generator.

    Args:
        folder: is emptied; the site is then in its folder `site`.
    """
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    reference.write(pages / "reference")
    staging.stage(ROOT, pages)
    config = folder / "zensical.toml"
    shutil.copy(ROOT / "docs" / "zensical.toml", config)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(config)]
    # Its colours would be in the log of a build server too.
    code = subprocess.run(command, check=False, env=os.environ | {"NO_COLOR": "1"}).returncode
    for page in (folder / "site").rglob("*.html"):
        # The corner of a table heads neither a row nor a column.
        page.write_text(EMPTY_HEADER.sub("<td></td>", page.read_text(encoding="utf-8")), encoding="utf-8")
    return code


if __name__ == "__main__":
    code = build(BUILD)
    if code == 0:
        print(f"the site is in {BUILD.relative_to(ROOT)}/site; look at it with")
        print(f"  {sys.executable} -m http.server --directory {BUILD.relative_to(ROOT)}/site 8008")
    sys.exit(code)
