"""Texts that hold times, brackets, names and colons, and are no chats. All of it is made up by code."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta

from tests.support.texts.chats import BEGIN, PEOPLE, prose, sentence

Maker = Callable[[random.Random, int], str]
_COUNT = 80


def _of_lines(line: Maker, before: str = "") -> Callable[[], str]:
    def made() -> str:
        chance = random.Random(2)
        return before + "".join(line(chance, number) for number in range(_COUNT))

    return made


def _title(chance: random.Random) -> str:
    return " ".join(
        chance.choices(("Stone", "River", "Night", "Light", "Hill", "House", "Train", "Window"), k=3)
    )


def _clock(number: int, step: float = 7.3, begin: int = 8 * 60) -> str:
    minutes = int(begin + number * step) % (24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _offset(number: int, step: float = 4.27) -> str:
    seconds = number * step
    return f"{int(seconds) // 60:02}:{seconds % 60:05.2f}"


def _day(number: int, form: str = "%Y-%m-%d") -> str:
    return (BEGIN + timedelta(days=number)).strftime(form)


def _soon(number: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return (BEGIN + timedelta(seconds=17 * number)).strftime(form)


def _subtitles(chance: random.Random, n: int) -> str:
    return f"{n + 1}\n00:00:{n % 60:02},100 --> 00:00:{(n + 2) % 60:02},000\n{prose(chance)}\n\n"


def _scene(chance: random.Random, n: int) -> str:
    place = chance.choice(("KITCHEN", "STREET", "TRAIN"))
    return (
        f"INT. {place} - {chance.choice(('NIGHT', 'DAY', _clock(n)))}\n\n{prose(chance)}\n\n"
        f"{chance.choice(PEOPLE).upper()}\n{prose(chance)}\n\n"
    )


def _commit(chance: random.Random, n: int) -> str:
    return (
        f"commit {chance.randrange(16**40):040x}\nAuthor: {chance.choice(PEOPLE)} <x@host.example>\n"
        f"Date:   {_day(-n, '%a %b %d')} 18:10:22 2024 +0100\n\n    {sentence(chance)}\n\n"
    )


def _letter(chance: random.Random, n: int) -> str:
    return (
        f"{chance.choice(('London', 'Paris'))}, {_day(n, '%d %B 1851')}\n\nDear {chance.choice(PEOPLE)},\n"
        f"{prose(chance)} {prose(chance)}\n\nYours, {chance.choice(PEOPLE)}\n\n"
    )


def _recipe(chance: random.Random, n: int) -> str:
    return f"{n + 1}. {_title(chance)}\nTime: 1:{n % 60:02}\nServes: 4\n{prose(chance)}\n\n"


def _play(chance: random.Random, _n: int) -> str:
    return f"{chance.choice(PEOPLE)}: {prose(chance)}\n"


def _game(chance: random.Random, n: int) -> str:
    moves = " ".join(
        f"{m}. {chance.choice(('e4', 'Nf3', 'd4'))} {{[%clk 0:{59 - m:02}:10]}} e5" for m in range(1, 9)
    )
    return f'[Event "Open"]\n[Date "2024.03.01"]\n[White "{PEOPLE[n % 4]}"]\n[Black "Tom"]\n\n{moves} 1-0\n\n'


LOOKALIKES: dict[str, Callable[[], str]] = {
    "verses with numbers": _of_lines(lambda c, n: f"[{n // 20 + 1}:{n % 20 + 1}] {prose(c)}\n"),
    "verses of books": _of_lines(
        lambda c, n: f"{('Stones', 'Rivers')[n // 40]} ({n // 20 + 1}:{n % 20 + 1}) {prose(c)}\n"
    ),
    "verses of books in turn": _of_lines(
        lambda c, n: f"{PEOPLE[n % 3]} ({n // 20 + 3}:{n % 20 + 10}) {prose(c)}\n"
    ),
    "verses after a book's name": _of_lines(
        lambda c, n: f"{PEOPLE[n % 3]} {n // 20 + 3}:{n % 20 + 10} {prose(c)}\n"
    ),
    "lyrics": _of_lines(lambda c, n: f"[{_offset(n)}] {sentence(c)}\n", "[ar:Nobody]\n[ti:Song]\n"),
    "lyrics of a duet": _of_lines(lambda c, n: f"[{_offset(n)}] {c.choice(PEOPLE)}: {sentence(c)}\n"),
    "lyrics with whole seconds": _of_lines(
        lambda c, n: f"[{n * 4 // 60:02}:{n * 4 % 60:02}] {sentence(c)}\n"
    ),
    "a screenplay": _of_lines(_scene),
    "a play": _of_lines(_play),
    "a play in brackets": _of_lines(lambda c, _n: f"[{c.choice(PEOPLE)}] {prose(c)}\n"),
    "a play in capitals": _of_lines(lambda c, _n: f"{c.choice(PEOPLE).upper()}.\n{prose(c)}\n\n"),
    "a timetable": _of_lines(lambda c, n: f"{_clock(n)} {_title(c)}\n"),
    "a timetable with platforms": _of_lines(
        lambda c, n: (
            f"{_clock(n)} {c.choice(('Stonebridge', 'Riverside', 'Hilltop'))}: platform {c.randint(1, 9)}\n"
        )
    ),
    "a timetable, times last": _of_lines(
        lambda c, n: f"{c.choice(('Stonebridge', 'Riverside', 'Hilltop'))} — {_clock(n)}\n"
    ),
    "a timetable with tabs": _of_lines(
        lambda c, n: f"{_clock(n, 5)}\t{c.choice(('Stonebridge', 'Riverside'))}\tplatform {c.randint(1, 9)}\n"
    ),
    "a programme": _of_lines(lambda c, n: f"Lecture {n}, {_title(c)} — {_clock(n, 65)}\n"),
    "a programme of rooms": _of_lines(
        lambda c, n: f"{c.choice(('Room A', 'Room B', 'Great Hall'))} {_clock(n, 15)}\n{_title(c)}\n\n"
    ),
    "television": _of_lines(lambda c, n: f"{_clock(n, 15)} {c.choice(('ARD', 'ZDF', 'BBC'))}: {_title(c)}\n"),
    "a diary": _of_lines(lambda c, n: f"[{_day(n)} 21:30] {prose(c)}\n"),
    "a diary with moods": _of_lines(
        lambda c, n: (
            f"[{_day(n)} 21:{c.randint(10, 59)}] {c.choice(('Mood', 'Weather', 'Health'))}: {prose(c)}\n"
        )
    ),
    "a diary of places": _of_lines(
        lambda c, n: (
            f"{_day(n, '%d.%m.%Y')} 21:{c.randint(10, 59)} {c.choice(('Rom', 'Wien'))}\n{prose(c)}\n\n"
        )
    ),
    "a diary of days": _of_lines(lambda c, n: f"{_day(n, '%A, %d %B 1851')}\n{prose(c)} {prose(c)}\n\n"),
    "a ship's log": _of_lines(
        lambda c, n: f"[{_soon(n * 40)}] {('Wind', 'Sea', 'Position')[n % 3]}: {prose(c)}\n"
    ),
    "commits": _of_lines(_commit),
    "commits, a line each": _of_lines(
        lambda c, n: f"{c.randrange(16**7):07x} {_day(-n)} 18:10 {c.choice(PEOPLE)}: {sentence(c)}\n"
    ),
    "commits, dates first": _of_lines(
        lambda c, n: f"{_day(-n)} {8 + n % 9:02}:10 {c.choice(PEOPLE)}: {sentence(c)}\n"
    ),
    "commits, in order": _of_lines(
        lambda c, n: f"{_day(n)} {8 + n % 9:02}:10 {c.choice(PEOPLE)}: {sentence(c)}\n"
    ),
    "a list of changes": _of_lines(
        lambda c, n: f"{_day(-n)}  {c.choice(PEOPLE)}  <x@host.example>\n\n\t* file.c: {prose(c)}\n\n"
    ),
    "minutes": _of_lines(
        lambda c, n: f"{_clock(n, 5)} {c.choice(('Chair', 'Secretary', 'Mr Stone'))}: {prose(c)}\n"
    ),
    "minutes, odd times": _of_lines(
        lambda c, n: (
            f"[{_clock(n, 2.3)}] {c.choice(('Chair', 'Treasurer', 'Ms Berg', 'Decision'))}: {prose(c)}\n"
        )
    ),
    "minutes of members": _of_lines(lambda c, n: f"{_clock(n, 2.3)} {c.choice(PEOPLE)}: {prose(c)}\n"),
    "a recipe": _of_lines(_recipe),
    "a server's log": _of_lines(
        lambda c, n: (
            f"{_soon(n)} {c.choice(('INFO', 'WARN', 'ERROR'))}: request {n} took {c.randint(1, 99)} ms\n"
        )
    ),
    "a server's log in brackets": _of_lines(
        lambda c, n: f"[{_soon(n)}] {c.choice(('local.ERROR', 'local.INFO'))}: {prose(c)}\n"
    ),
    "a log of services": _of_lines(
        lambda c, n: (
            f"[{_soon(n)}] {c.choice(('billing', 'mailer'))}: job {n} done in {c.randint(1, 99)} ms\n"
        )
    ),
    "syslog": _of_lines(
        lambda c, n: f"{_soon(n, '%b %d %H:%M:%S')} web1 {c.choice(('sshd', 'ntpd'))}[{n}]: {prose(c)}\n"
    ),
    "a web server's log": _of_lines(
        lambda c, n: f'10.0.0.{n} - - [{_soon(n, "%d/%b/%Y:%H:%M:%S")} +0000] "GET /{n} HTTP/1.1" 200\n'
    ),
    "a game server's log": _of_lines(
        lambda c, n: f"[{_soon(n, '%H:%M:%S')}] [Server thread/INFO]: {c.choice(PEOPLE)} joined the game\n"
    ),
    "subtitles": _of_lines(_subtitles),
    "subtitles of speakers": _of_lines(
        lambda c, n: (
            f"00:00:{n % 60:02}.100 --> 00:00:{(n + 2) % 60:02}.000\n<v {c.choice(PEOPLE)}>{prose(c)}\n\n"
        ),
        "WEBVTT\n\n",
    ),
    "a transcript": _of_lines(
        lambda c, n: (
            f"[{n * 9 // 3600:02}:{n * 9 // 60 % 60:02}:{n * 9 % 60:02}] {c.choice(PEOPLE)}: {prose(c)}\n"
        )
    ),
    "a flight's transcript": _of_lines(
        lambda c, n: f"055:{n // 60:02}:{n % 60:02} {c.choice(PEOPLE)}: {prose(c)}\n"
    ),
    "a ticker": _of_lines(lambda c, n: f"{n}' {c.choice(('Goal', 'Corner', 'Yellow card'))}: {prose(c)}\n"),
    "a ticker with times": _of_lines(
        lambda c, n: f"{_clock(n, 1.3)} {c.choice(('Goal', 'Corner', 'Yellow card', 'Foul'))}: {_title(c)}\n"
    ),
    "a live blog": _of_lines(lambda c, n: f"{_clock(n, 3.7)} {prose(c)}\n"),
    "shares": _of_lines(
        lambda c, n: f"{_clock(n, 1.1)} {c.choice(('ABC', 'XYZ'))}: {c.randint(100, 999)}.{n:02}\n"
    ),
    "a dictionary": _of_lines(lambda c, n: f"{c.choice(PEOPLE).lower()}{n} (n.): {prose(c)}\n"),
    "a glossary": _of_lines(lambda c, _n: f"{_title(c)}: {prose(c)}\n"),
    "letters": _of_lines(_letter),
    "letters with headings": _of_lines(
        lambda c, n: (
            f"From: {c.choice(PEOPLE)}\nTo: {c.choice(PEOPLE)}\nDate: {_day(n)} 18:10\n\n{prose(c)}\n\n"
        )
    ),
    "questions": _of_lines(lambda c, _n: f"Q: {sentence(c)}\nA: {prose(c)}\n\n"),
    "chess": _of_lines(_game),
    "laws": _of_lines(lambda c, n: f"§ {n}:{n % 9 + 10} {_title(c)}. {prose(c)}\n"),
    "an interview": _of_lines(lambda c, n: f"{('Interviewer', 'Anna')[n % 2]}: {prose(c)}\n"),
    "prose with times": _of_lines(lambda c, n: f"At {_clock(n)} {c.choice(PEOPLE)} said: {prose(c)}\n\n"),
    "code": _of_lines(lambda c, n: f"def f{n}(x):\n    return x[1:2]  # {_clock(n)} {prose(c)}\n"),
    "markup": _of_lines(lambda c, _n: f"<p>{prose(c)}</p>\n<b>{sentence(c)}</b>\n"),
    "a web page": _of_lines(
        lambda c, _n: f"<div class='text'><p>{prose(c)}</p></div>\n", "<!DOCTYPE html><html><body>"
    ),
    "articles as JSON": lambda: json.dumps(
        [
            {"title": f"t{n}", "author": PEOPLE[n % 4], "date": _day(n), "content": prose(random.Random(n))}
            for n in range(60)
        ]
    ),
    "articles as a table": _of_lines(
        lambda c, n: f"{n},{c.choice(PEOPLE)},{_day(n)},{prose(c)}\n", "title,author,date,content\n"
    ),
    "commits as a table": _of_lines(
        lambda c, n: f"{n:07x},{c.choice(PEOPLE)},{_day(n)},{sentence(c)}\n", "hash,author,date,message\n"
    ),
    "measurements": _of_lines(
        lambda c, n: f"{_soon(n)}\t{c.choice(('north', 'south'))}\t{c.randint(1, 99)}.{n}\n"
    ),
    "a training plan": _of_lines(
        lambda c, n: f"{('Monday', 'Tuesday', 'Friday')[n % 3]} {_clock(n, 90)}: {prose(c)}\n"
    ),
    "a week's programme": _of_lines(
        lambda c, n: f"{_clock(n, 30)} - {c.choice(('Yoga', 'Choir', 'Chess'))}: {_title(c)}\n"
    ),
}
"""What only looks like a chat."""
