"""Values of settings that have to be read: a secret in a file, an address. Raises what pydantic reports."""

import re
from pathlib import Path

# A file of a secret has one line.
SECRET_BYTES = 4096


def secret_in(path: Path, name: str, *, given: bool) -> str:
    """Return the content of a secret's file.

    Args:
        path: of the file.
        name: the setting that the file stands for.
        given: whether that setting has a value too.

    Raises:
        ValueError: both are set, or the file cannot be read or is empty. Its content is not repeated.
    """
    if given:
        raise ValueError(f"{name} and {name}_FILE are both set: keep one of them")
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(SECRET_BYTES + 1)
        secret = content.decode("ascii").strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not plain text"
        raise ValueError(f"{name}_FILE is {path}, which cannot be read: {reason}") from None
    if not secret or len(content) > SECRET_BYTES or len(secret.split()) > 1:
        raise ValueError(f"{name}_FILE is {path}, which must hold one word and nothing else")
    return secret


def address_in(text: str) -> tuple[str, int] | None:
    """Read host:port, where an IPv6 host stands in brackets; None if it is something else."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+)):(\d{1,5})", text, re.ASCII)
    if match is None or not 0 < int(match[3]) < 2**16:
        return None
    return match[1] or match[2], int(match[3])
