"""Compiled code is there wherever it can be: a build that fails is no error at installation, only slow."""

import tomllib
from pathlib import Path

from tests.support import needs
from textgen.files import compiled_code


@needs.compiler
def test_where_there_is_a_compiler_everything_is_compiled(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extensions = [each["name"] for each in project["tool"]["setuptools"]["ext-modules"]]
    assert len(extensions) == 3
    for extension in extensions:
        folder, _, name = extension.replace(".", "/").rpartition("/")
        assert compiled_code.load(str(root / folder / "any.py"), name) is not None, extension
