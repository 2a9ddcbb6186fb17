"""Tells names of people from labels such as INFO, Goal, Wind or Platform 4.

This module must not import NumPy or Keras.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from textgen.corpus.chats.message_lines import Message

_MOST_WORDS = 6
_LABEL_WORDS = """
    info warn warning error err debug trace fatal notice critical crit severe verbose alert emerg exception
    stderr stdout kernel cron crond systemd nginx apache sshd http https get post put delete main worker
    scheduler server api db database cache queue daemon thread job task request response service agent proxy
    monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag
    samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes
    sábado domingo january february july september october november december
    goal corner foul offside penalty substitution sub kick-off kickoff half-time halftime full-time fulltime
    booking card yellow red save shot chance var injury free tor ecke foul foulspiel wechsel abstoß anstoß
    elfmeter score attack throw-in timeout wicket conversion scrum
    wind sea weather position barometer temperature temp course speed sky visibility swell depth heading noon
    lat lon latitude longitude bearing sails ship crew watch
    breakfast lunch dinner supper coffee tea break keynote session lecture talk panel registration opening
    closing welcome workshop reception arrival departure arrive depart arrives departs dep arr platform gate
    track stop stops station line gleis ankunft abfahrt abflug train bus tram flight ferry boarding
    note notes update updates summary mood diary journal entry log remark comment status news breaking
    location place subject date time title scene act chapter verse book page part section item agenda motion
    vote votes decision decisions resolution action actions topic apologies present absent attendees minutes
    question answer q white black move step stage day night morning evening afternoon weight
    steps pulse result results total price bid ask open high low close dear result event incident call unit
    chair chairman chairwoman chairperson president secretary treasurer speaker judge clerk counsel witness
    minister moderator narrator host guest interviewer interviewee chorus all both ensemble together
    tenor alto soprano bass teacher student
    feat fix chore docs refactor test style perf build ci revert merge release bump version change changed
    added removed fixed int ext cut fade
"""
_LABELS = frozenset(_LABEL_WORDS.split())
_TITLES = regex.compile(
    r"(?:mr|mrs|ms|miss|dr|prof|cllr|councillor|sir|lady|lord|rev|hon|the|senator|justice)\b\.? ?",
    regex.I,
)
_PROGRAM = regex.compile(
    r"[/\\=;{}\"$]|\[\d+\]|\w\.\w+\.\w|\w\(\d{1,4}\)$|^[0-9a-f]{7,40}$|\.(?:py|js|java|go|rs|cpp|service)$|^\d{1,5}$|^\w+\.[A-Z]{3,}$"
)
_LETTERS = regex.compile(r"[\p{L}'’-]+")
_WORDS = regex.compile(r"\p{Ll}[\p{Ll}'’-]*")


def is_person(name: str, *, strict: bool) -> bool:
    """Return whether a text can be a person's name.

    Args:
        name: the text in the position of a name.
        strict: whether to refuse titles and offices, which occur in minutes and plays.
    """
    if _PROGRAM.search(name) or len(name.split()) > _MOST_WORDS:
        return False
    if strict and _TITLES.match(name):
        return False
    words = _LETTERS.findall(name.lower())
    # A label may have a number or several words: "Platform 4", "Yellow card", "Coffee break".
    return not words or not (
        words[0] in _LABELS and (len(words) == 1 or words[-1] in _LABELS or not name[-1].isalpha())
    )


def are_labels(found: Sequence[Message]) -> bool:
    """Return whether the names are words of the text itself, such as "Wind" in a text with "the wind"."""
    said = {word for message in found for word in _WORDS.findall(message.text)}
    plain = [m for m in found if m.author.istitle() and m.author.isalpha() and m.author.lower() in said]
    return len(plain) >= len(found) / 2
