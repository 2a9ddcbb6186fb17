"""Detects chat exports in JSON, HTML, CSV and XML by the names of their fields.

Fields are counted and not parsed, because the beginning of a large file is not a complete document. This
module must not import NumPy or Keras.
"""

from __future__ import annotations

import regex

from textgen.errors import translatable

JSON = translatable("a chat export in JSON")
HTML = translatable("a chat export in HTML")
CSV = translatable("a chat export as a table")
XML = translatable("a chat export in XML")

_FEWEST = 5
_ALIKE = 0.25


def _key(names: str) -> regex.Pattern[str]:
    return regex.compile(rf'"(?:{names})"\s*:')


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WRITER = (
    "author|author_name|sender|sender_name|senderName|from|from_id|user|user_name|userName|username|nick|nickname"
    "|displayName|display_name|creator|participant|address|handle|source|sourceName|imdisplayname|from_name|speaker"
)
_WRITERS = _key(_WRITER)
_WHEN = _key(
    "timestamp|timestamp_ms|timestampMs|date|date_unixtime|datetime|createdAt|created_at|createdDateTime|created_date|created"
    "|ts|time|sent_at|sentAt|sentDate|origin_server_ts|originalarrivaltime|composetime|server_timestamp|dateSent"
)
_SAID = _key("content|text|body|message|msg|raw_text|plain_text|rawText")
# Lists of articles, books or commits have writers, dates and texts too.
_CHAT_ONLY = regex.compile(
    r'"(?:messages|MessageList|message_id|messageId|sender|sender_name|senderName|from_id|nick|origin_server_ts|conversationId'
    r"|conversation_id|originalarrivaltime|timestamp_ms|isPinned|replyTo|reply_to_message_id|channel_id|chat_id|room_id"
    r'|isOutgoing|is_outgoing|fromMe|from_me|createdDateTime|client_msg_id)"\s*:'
    r'|"type"\s*:\s*"(?:message|m\.room\.message|incoming|outgoing|Default)"'
)
_NOT_CHAT = _key(
    "title|headline|commit|sha|hash|isbn|rating|abstract|ingredients|recipe|url|role|level|severity"
)

_TAG = regex.compile(r"<(?:!DOCTYPE html|html|head|body|div|span|article|section|main)\b", regex.I)
_CLASS = r"""class\s*=\s*["'][^"'<>]{0,200}?"""
_HTML_MESSAGE = regex.compile(rf"{_CLASS}(?:message|msg|chatlog|chat-|_a6-g|bubble)", regex.I)
_HTML_WRITER = regex.compile(
    rf"{_CLASS}(?:author|sender|username|user-name|from_name|from-name|nick|display-?name|_a6-h|speaker)",
    regex.I,
)
_HTML_WHEN = regex.compile(
    rf"{_CLASS}(?:time|date|_a6-o|_a72d)|<time\b|title\s*=\s*[\"'][^\"'<>]{{0,40}}?\d{{1,2}}:\d\d", regex.I
)

_HEADING_BYTES = 2_000
_TABLE_WRITERS = _names(
    "author authorid authorname sender sendername senderid from user userid username nick nickname "
    "displayname fromname fromuser participant handle speaker contact absender expéditeur remitente "
    "mittente autor auteur"
)
_TABLE_WHEN = _names(
    "timestamp date time datetime createdat created sentat sent ts messagedate sentdate datesent "
    "timestamputc unixtimestamp datum zeit fecha data hora heure"
)
_TABLE_SAID = _names(
    "content message text body msg messagetext messagebody nachricht mensaje messaggio mensagem texte "
    "contenu inhalt"
)
_TABLE_OTHER = _names(
    "title headline commit hash sha isbn rating score stars publisher genre url pages chapter verse price "
    "level severity logger recipe book act scene"
)
_XML_MESSAGE = regex.compile(r"<(?:sms|mms|message|msg|item|event)\b[^<>]{0,600}", regex.I)
_XML_WRITER = regex.compile(
    r"""\b(?:address|from|sender|author|user|nick|contact_name|name|from_name)\s*=|<(?:from|sender|author|user|nick|who)>""",
    regex.I,
)
_XML_WHEN = regex.compile(
    r"""\b(?:date|time|timestamp|ts|readable_date|sent)\s*=|<(?:date|time|timestamp|ts|sent)>""", regex.I
)


def suspect_file(head: str) -> str | None:
    """Return the kind of export that the beginning of a text is, or None."""
    begin = head[:_HEADING_BYTES].lstrip("\ufeff \t\r\n")
    if begin[:1] in ("{", "["):
        return JSON if _is_json(head) else None
    if begin[:1] == "<":
        if _TAG.search(head, 0, _HEADING_BYTES * 2):
            return HTML if _alike(_HTML_MESSAGE, _HTML_WRITER, _HTML_WHEN, head) else None
        return XML if _is_xml(head) else None
    return CSV if _is_table(begin) else None


def _is_json(head: str) -> bool:
    if not _alike(_WRITERS, _WHEN, _SAID, head) or not _CHAT_ONLY.search(head):
        return False
    return _count(_NOT_CHAT, head) < _count(_SAID, head) / 2


def _alike(
    writers: regex.Pattern[str], when: regex.Pattern[str], said: regex.Pattern[str], head: str
) -> bool:
    """Return whether three fields occur often, and with about the same counts."""
    counts = [_count(pattern, head) for pattern in (writers, when, said)]
    return min(counts) >= _FEWEST and min(counts) >= _ALIKE * max(counts) / 2


def _count(pattern: regex.Pattern[str], head: str) -> int:
    return sum(1 for _ in pattern.finditer(head))


def _is_xml(head: str) -> bool:
    found = 0
    for message in _XML_MESSAGE.finditer(head):
        around = head[message.start() : message.end() + 300]
        found += bool(_XML_WRITER.search(around) and _XML_WHEN.search(around))
    return found >= _FEWEST


def _is_table(begin: str) -> bool:
    heading = begin.split("\n", 1)[0]
    delimiter = max(",;\t|", key=heading.count)
    names = {"".join(filter(str.isalpha, name.lower())) for name in heading.split(delimiter)}
    if len(names) < 3 or names & _TABLE_OTHER:
        return False
    return bool(names & _TABLE_WRITERS and names & _TABLE_WHEN and names & _TABLE_SAID)
