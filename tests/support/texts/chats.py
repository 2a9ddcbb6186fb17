"""Chats as programs export them, and texts that look like some and are none. All of it is made up by code."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

_WORDS = (
    "the of and to in day night hill water light people upon deep went see you not what we go home there was "
    "that late soon maybe tomorrow bread river stone green house letter train song window quiet"
)
WORDS = _WORDS.split()
NAMES = ("Anna Berg", "tom_99", "Lucía", "Юрий", "kai", "Marie-Louise Dupont")
PEOPLE = ("Anna", "Tom", "Lucia", "Kai")
BEGIN = datetime(2024, 3, 1, 18, 7, 12)  # noqa: DTZ001 -- a clock on somebody's wall


@dataclass(frozen=True)
class Said:
    """A message."""

    at: datetime
    who: str
    text: str


def said(count: int = 60, names: tuple[str, ...] = NAMES, seed: int = 1) -> list[Said]:
    """A chat of some people, who write when they like."""
    chance = random.Random(seed)
    at, found = BEGIN, []
    for _ in range(count):
        at += timedelta(seconds=chance.choice((4, 9, 20, 47, 95, 180, 400, 3_000)))
        found.append(Said(at, chance.choice(names), sentence(chance)))
    return found


def sentence(chance: random.Random, least: int = 2, most: int = 11) -> str:
    """What somebody types."""
    words = " ".join(chance.choices(WORDS, k=chance.randint(least, most)))
    words = words if chance.random() < 0.6 else words.capitalize()
    return words + chance.choice(("", "", "", "?", "!", " 😂", "...", " :)", "."))


def prose(chance: random.Random, least: int = 6, most: int = 16) -> str:
    """A sentence of a book."""
    return " ".join(chance.choices(WORDS, k=chance.randint(least, most))).capitalize() + "."


def lines(form: str, names: tuple[str, ...] = NAMES) -> Callable[[], str]:
    """A log of which each message is written as the format says: ``at``, ``who``, ``text``."""

    def made() -> str:
        return "".join(form.format(at=one.at, who=one.who, text=one.text) for one in said(names=names))

    return made


def half_days(
    form: str, day: str = "%m/%d/%y", morning: str = "AM", afternoon: str = "PM"
) -> Callable[[], str]:
    """The same with a clock of twelve hours: ``day``, ``time``, ``seconds``, ``half``."""

    def made() -> str:
        parts = []
        for one in said():
            hour, half = (one.at.hour - 1) % 12 + 1, afternoon if one.at.hour >= 12 else morning
            time = f"{hour}:{one.at:%M}"
            parts.append(
                form.format(
                    day=one.at.strftime(day),
                    time=time,
                    seconds=f"{one.at:%S}",
                    half=half,
                    who=one.who,
                    text=one.text,
                )
            )
        return "".join(parts)

    return made


def _as_json(
    one: Callable[[Said, int], object], around: Callable[[list[object]], object]
) -> Callable[[], str]:
    return lambda: json.dumps(around([one(m, n) for n, m in enumerate(said())]), ensure_ascii=False, indent=1)


def _as_table(
    heading: list[str], row: Callable[[Said], list[str]], delimiter: str = ","
) -> Callable[[], str]:
    def made() -> str:
        file = io.StringIO()
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(heading)
        writer.writerows(map(row, said()))
        return file.getvalue()

    return made


def _arabic() -> str:
    digits = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    return "".join(
        f"{one.at:%d\u200f/%m\u200f/%Y}، {one.at:%I:%M} م - {one.who}: {one.text}\n".translate(digits)
        for one in said()
    ).replace("،", ",")


def _irssi() -> str:
    body = ["--- Log opened Fri Mar 01 18:07:12 2024\n"]
    for number, one in enumerate(said(names=("anna", "tom", "kai_"))):
        if number % 9 == 0:
            body.append(f"{one.at:%H:%M} -!- {one.who} [~x@host.example] has joined #quill\n")
        body.append(f"{one.at:%H:%M} < {one.who}> {one.text}\n")
    return "".join(body)


def _exporter_text() -> str:
    heading = "=" * 62 + "\nGuild: Abbey\nChannel: Text / quill\n" + "=" * 62 + "\n\n"
    return heading + "".join(f"[{one.at:%d/%m/%Y %H:%M}] {one.who}\n{one.text}\n\n" for one in said())


def _whatsapp_with_notes() -> str:
    begin = "12/03/2024, 18:07 - Messages and calls are end-to-end encrypted.\n"
    more = "".join(
        f"{one.at:%d/%m/%Y, %H:%M} - {one.who}: {one.text}\n" + ("and a second line\n" if n % 5 == 0 else "")
        for n, one in enumerate(said())
    )
    return begin + more


def _imessage() -> str:
    return "".join(f"{one.at:%b %d, %Y  %I:%M:%S %p}\n{one.who}\n{one.text}\n\n" for one in said())


def _sigtop() -> str:
    return "Conversation: Anna\n\n" + "".join(
        f"From: {one.who}\nType: incoming\nSent: {one.at:%a, %d %b %Y %H:%M:%S} +0100\n\n{one.text}\n\n"
        for one in said()
    )


def _telegram_html() -> str:
    return "<!DOCTYPE html>\n<html><head><title>Exported Data</title></head><body>" + "".join(
        '<div class="message default clearfix" id="message1"><div class="body">'
        f'<div class="pull_right date details" title="{one.at:%d.%m.%Y %H:%M:%S}">{one.at:%H:%M}</div>'
        f'<div class="from_name">{one.who}</div><div class="text">{one.text}</div></div></div>\n'
        for one in said()
    )


def _discord_html() -> str:
    return "<!DOCTYPE html>\n<html lang=en><head></head><body>" + "".join(
        '<div class="chatlog__message-group"><div class="chatlog__message">'
        f'<span class="chatlog__author" title="x">{one.who}</span><span class="chatlog__timestamp" '
        f'title="x"><a href=#>{one.at:%d/%m/%Y %H:%M}</a></span>'
        f'<div class="chatlog__content">{one.text}</div></div></div>\n'
        for one in said()
    )


def _facebook_html() -> str:
    return "<html><head><base href='x'/></head><body>" + "".join(
        f'<div class="_3-95 _a6-g"><div class="_2ph_ _a6-h _a6-i">{one.who}</div><div class="_2ph_ _a6-p">'
        f'<div>{one.text}</div></div><div class="_3-94 _a6-o"><div class="_a72d">'
        f"{one.at:%b %d, %Y %I:%M %p}</div></div></div>\n"
        for one in reversed(said())
    )


def _sms_xml() -> str:
    return "<?xml version='1.0'?>\n<smses count='60'>\n" + "".join(
        f'  <sms protocol="0" address="+15550100" date="{one.at:%s}000" type="1" body="{one.text}" '
        f'contact_name="{one.who}" />\n'
        for one in said()
    )


EXPORTS: dict[str, Callable[[], str]] = {
    "Discord, exporter, text": _exporter_text,
    "Discord, exporter, old text": half_days("[{day} {time} {half}] {who}#1234\n{text}\n\n", "%d-%b-%y"),
    "Discord, one line": lines("[{at:%Y-%m-%d %H:%M}] {who}#1210: {text}\n"),
    "Discord, copied": lines("{who} — Today at {at:%H:%M}\n{text}\n"),
    "Discord, copied, dates": half_days("{who} — {day}, {time} {half}\n{text}\n", "%m/%d/%Y"),
    "Discord, copied, two lines": lines("{who}\n — {at:%d/%m/%Y %H:%M}\n{text}\n"),
    "Discord, copied, German": lines("{who} — heute um {at:%H:%M} Uhr\n{text}\n"),
    "Discord, exporter, JSON": _as_json(
        lambda m, n: {
            "id": str(n),
            "type": "Default",
            "timestamp": m.at.isoformat(),
            "isPinned": False,
            "content": m.text,
            "author": {"id": "1", "name": m.who, "nickname": m.who},
        },
        lambda found: {"guild": {"id": "1"}, "channel": {"id": "2"}, "messages": found},
    ),
    "Discord, exporter, CSV": _as_table(
        ["AuthorID", "Author", "Date", "Content", "Attachments", "Reactions"],
        lambda m: ["1", m.who, m.at.isoformat(), m.text, "", ""],
    ),
    "Discord, exporter, HTML": _discord_html,
    "WhatsApp, Android, British": _whatsapp_with_notes,
    "WhatsApp, Android, American": half_days("{day}, {time} {half} - {who}: {text}\n"),
    "WhatsApp, Android, German": lines("{at:%d.%m.%y, %H:%M} - {who}: {text}\n"),
    "WhatsApp, Android, Spanish": half_days(
        "{day} {time} {half} - {who}: {text}\n", "%d/%m/%Y", "a. m.", "p. m."
    ),
    "WhatsApp, Android, Italian": lines("{at:%d/%m/%y, %H:%M} - {who}: {text}\n"),
    "WhatsApp, Android, French": lines("{at:%d/%m/%Y} à {at:%H:%M} - {who}: {text}\n"),
    "WhatsApp, Android, Finnish": lines("{at:%d.%m.%Y} klo {at:%H.%M} - {who}: {text}\n"),
    "WhatsApp, Android, Japanese": lines("{at:%Y/%m/%d} {at:%H:%M} - {who}: {text}\n"),
    "WhatsApp, Android, Chinese": half_days(
        "{day} {half}{time} - {who}: {text}\n", "%Y/%m/%d", "上午", "下午"
    ),
    "WhatsApp, Android, Arabic": _arabic,
    "WhatsApp, iOS, German": lines("\u200e[{at:%d.%m.%y, %H:%M:%S}] {who}: {text}\n"),
    "WhatsApp, iOS, American": half_days("[{day}, {time}:{seconds}\u202f{half}] {who}: {text}\n"),
    "WhatsApp, iOS, Dutch": lines("[{at:%d-%m-%Y %H:%M:%S}] {who}: {text}\n"),
    "WhatsApp, iOS, Brazilian": lines("[{at:%d/%m/%Y %H:%M:%S}] {who}: {text}\n"),
    "Telegram, copied": lines("{who}, [{at:%d.%m.%Y %H:%M}]\n{text}\n\n"),
    "Telegram, copied, English": lines("{who}, [{at:%d %b %Y} at {at:%H:%M:%S}]:\n{text}\n\n"),
    "Telegram, JSON": _as_json(
        lambda m, n: {
            "id": n,
            "type": "message",
            "date": m.at.isoformat(),
            "date_unixtime": "1",
            "from": m.who,
            "from_id": "user1",
            "text": m.text,
        },
        lambda found: {"name": "Abbey", "type": "private_group", "messages": found},
    ),
    "Telegram, HTML": _telegram_html,
    "IRC, irssi": _irssi,
    "IRC, weechat": lines("{at:%Y-%m-%d %H:%M:%S}\t{who}\t{text}\n", ("anna", "@tom", "kai_")),
    "IRC, mIRC": lines("[{at:%H:%M}] <{who}> {text}\n", ("anna", "@tom", "kai_")),
    "IRC, HexChat": lines("{at:%b %d %H:%M:%S} <{who}>\t{text}\n", ("anna", "tom", "kai_")),
    "IRC, ZNC": lines("[{at:%H:%M:%S}] <{who}> {text}\n", ("anna", "tom", "kai_")),
    "IRC, without times": lines("<{who}> {text}\n", ("anna", "tom", "kai_")),
    "IRC, energymech": lines("[{at:%H:%M}] <{who}> {text}\n[{at:%H:%M}] *** Joins: {who} (x@host.example)\n"),
    "Slack, JSON": _as_json(
        lambda m, _n: {
            "type": "message",
            "user": "U01",
            "text": m.text,
            "ts": "1709316600.000100",
            "team": "T",
        },
        lambda found: found,
    ),
    "Slack, copied": half_days("{who}\u00a0\u00a0[{time} {half}]\n{text}\n"),
    "Slack, copied, new": half_days("{who}  {time} {half}\n{text}\n"),
    "Teams, copied": lines("[{at:%H:%M}] {who}\n{text}\n\n"),
    "Teams, copied, dates": half_days("{who} {day} {time} {half}\n{text}\n\n", "%m/%d/%Y"),
    "Teams, one line": lines("[{at:%d/%m/%Y %H:%M}] {who}: {text}\n"),
    "Teams, JSON": _as_json(
        lambda m, n: {
            "id": n,
            "createdDateTime": m.at.isoformat(),
            "from": {"user": {"displayName": m.who}},
            "body": {"contentType": "text", "content": m.text},
        },
        lambda found: {"value": found},
    ),
    "Signal, markdown": lines("[{at:%Y-%m-%d, %H:%M}] {who}: {text}\n"),
    "Signal, text": _sigtop,
    "Signal, JSON": _as_json(
        lambda m, _n: {
            "conversationId": "1",
            "sent_at": 1,
            "source": m.who,
            "body": m.text,
            "type": "incoming",
        },
        lambda found: found,
    ),
    "Messenger, JSON": _as_json(
        lambda m, _n: {"sender_name": m.who, "timestamp_ms": 1709316600000, "content": m.text},
        lambda found: {"participants": [{"name": "Anna"}], "messages": found},
    ),
    "Messenger, HTML": _facebook_html,
    "Skype, copied": half_days("[{day} {time}:{seconds} {half}] {who}: {text}\n", "%m/%d/%Y"),
    "Skype, JSON": _as_json(
        lambda m, n: {
            "id": str(n),
            "displayName": m.who,
            "originalarrivaltime": m.at.isoformat(),
            "from": "8:live",
            "content": m.text,
        },
        lambda found: {"conversations": [{"MessageList": found}]},
    ),
    "Matrix, Element, text": half_days("{day}, {time}:{seconds} {half} - {who}: {text}\n", "%m/%d/%Y"),
    "Matrix, JSON": _as_json(
        lambda m, _n: {
            "type": "m.room.message",
            "sender": "@anna:host.example",
            "origin_server_ts": 1709316600000,
            "content": {"msgtype": "m.text", "body": m.text},
        },
        lambda found: {"room_name": "Abbey", "messages": found},
    ),
    "iMessage, text": _imessage,
    "iMessage, table": _as_table(
        ["Chat Session", "Message Date", "Service", "Type", "Sender ID", "Sender Name", "Status", "Text"],
        lambda m: ["Anna", str(m.at), "iMessage", "Incoming", "+1555", m.who, "Read", m.text],
    ),
    "SMS, XML": _sms_xml,
    "LINE": lines("{at:%H:%M}\t{who}\t{text}\n"),
    "KakaoTalk": half_days("{day} {half} {time}, {who} : {text}\n", "%Y년 %m월 %d일", "오전", "오후"),
    "Viber": lines("[{at:%d/%m/%Y}, {at:%H:%M:%S}] {who}: {text}\n"),
    "WeChat": lines("{at:%Y-%m-%d %H:%M:%S} {who}\n{text}\n\n"),
    "QQ": lines("{at:%Y-%m-%d %H:%M:%S} {who}(1234567)\n{text}\n\n"),
    "Zoom": lines("{at:%H:%M:%S} From {who} to Everyone:\n\t{text}\n"),
    "Zoom, one line": lines("{at:%H:%M:%S}\t From  {who} : {text}\n"),
    "Twitch": lines("[{at:%Y-%m-%d %H:%M:%S} UTC] {who}: {text}\n", ("anna", "tom_99", "kai", "moon")),
    "Google Chat, JSON": _as_json(
        lambda m, n: {
            "creator": {"name": m.who, "user_type": "Human"},
            "created_date": "Friday, March 1, 2024 at 6:10:22 PM UTC",
            "text": m.text,
            "message_id": str(n),
        },
        lambda found: {"messages": found},
    ),
    "a table of one's own": _as_table(
        ["date", "sender", "message"], lambda m: [str(m.at), m.who, m.text], delimiter=";"
    ),
    "names and times in prose form": lines("{who} [{at:%H:%M}]: {text}\n"),
    "times and names": lines("{at:%Y-%m-%d %H:%M} {who}: {text}\n"),
}
"""What programs and people make of a chat."""
