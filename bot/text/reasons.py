"""Rewrites error messages for people in Discord: without paths of the host or advice for a shell. Pure.

Errors of `textgen` and `models` name the file and the flags that would help, for people with a shell on the
host. People in Discord have none; the log has the whole message.
"""

import re

from bot.i18n import marked

_NAMES = {
    "input.txt": marked("the text"),
    "validate.txt": marked("the validation text"),
    "base": marked("the model to go on from"),
    "model": marked("the model"),
}
OTHER_FILE = marked("a file of the host")
DISK_FULL = marked("the host's disk is full")
IN_THE_LOG = marked("the reason is in the host's log")

# A path begins with a root, a home or a drive; "and/or", "24/7" and web addresses are no paths. A quoted text
# is one path.
_PLACE = re.compile(
    r"""(?P<quote>['"`])(?:~?/|[A-Za-z]:\\|\\\\|\.{1,2}/)[^'"`\n]*(?P=quote)"""
    r"""|(?<![\w:/.<&?=])(?:~|\.{1,2})?/[\w.@~+-][^\s'"`;,()]*|(?<!\w)(?:[A-Za-z]:\\|\\\\)[^\s'"`;,()]+"""
)
_ADVICE = re.compile(
    r"(?<![\w-])--[a-z][a-z-]*\b|\b(?:pip3?|uv|apt|apt-get|conda) install\b|\bpython3? -m\b"
    r"|\bmake (?:setup|demo|test)\b|\b(?:export )?[A-Z][A-Z0-9]*_[A-Z0-9_]+(?:=\S*)?"
    r"|\b(?:textgen|pastiche) (?:train|sample|evaluate|corpus|inspect|benchmark|serve|base|chat|export|models"
    r"|verify|who|run|demo|worker|migrate|check|backup|restore)\b"
)
_TRACEBACK = re.compile(
    r"Traceback|^\s*File \"|\b\w+\.py\b|\b0x[0-9a-f]{6,}|\b[a-z_]+(?:\.[a-z_]+)+\.[A-Z]\w+|\[Errno"
)
_CLAUSES = re.compile(r"\s*(?:;|,\s+or\s|:(?=\s)|\()\s*")


def for_people(reason: str) -> str:
    """Return one line in which paths are replaced by words, without advice for a shell."""
    line = _PLACE.sub(_named, " ".join(reason.split()))
    if "No space left on device" in line:
        line = DISK_FULL
    elif _TRACEBACK.search(reason):
        line = ""
    elif _ADVICE.search(line):
        kept = [clause for clause in _CLAUSES.split(line) if clause and not _ADVICE.search(clause)]
        # Clauses after an advice explain it, so they are dropped with it.
        first = _CLAUSES.split(line)[0]
        line = "; ".join(clause.rstrip(") ") for clause in kept) if first in kept else ""
    return line or IN_THE_LOG


def _named(place: re.Match[str]) -> str:
    name = place[0].strip("'\"`").rstrip(".:").replace("\\", "/").rstrip("/").rpartition("/")[2]
    ending = place[0][len(place[0].rstrip(".:")) :]
    return _NAMES.get(name, OTHER_FILE) + ending
