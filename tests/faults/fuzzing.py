"""Ten minutes of fuzzing: decoding, tables, bundles, the schedules' parser, and the cleaning of messages.

What is read is either refused in one line or is what it must be; what is shown is safe.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import hypothesis
from hypothesis import strategies as st

from benchmarks.figures import Figure
from bot.bundles import archive
from bot.errors import UserError
from bot.scheduling.parser import UnreadableRule, read_rule
from bot.text import safe_text
from tests.bot.embeds.test_output_fuzz import PIECES, live
from tests.faults.tools import mutated_bundles
from tests.support.texts.whole import decode
from textgen.corpus.reading import text as corpus_text
from textgen.corpus.reading.reader import CorpusReader
from textgen.corpus.reading.sources import ReadingOptions
from textgen.errors import CorpusError, TextgenError

MINUTES = 5.0
_SECONDS = 120.0
_SHORT_S = 0.5
_SLOWEST_S = 5.0
_EXAMPLES = 200
_SHORT_EXAMPLES = 30

_BITS_OF_TEXT = st.sampled_from(
    [
        *(
            "a",
            "To be",
            "\n",
            "\r",
            "\r\n",
            "\n\n",
            '"',
            '""',
            ",",
            ",,",
            ";",
            "\t",
            "{",
            "}",
            '{"text": "a"}',
        ),
        *('"text": ', "\\ud83d", "text,author\n", "\ufeff", "\x00", "\x85", "\x9f", "\u2028", "\u0301" * 9),
        *("é", "e\u0301", "日本", "👨‍👩‍👧", "\ud800", "\U000e0041", "id\n1\n2\n", "null", "[1]", "1e999"),
    ]
)
_TEXTS = st.lists(_BITS_OF_TEXT | st.text(max_size=8), max_size=40).map("".join)
_CODECS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252")
_FILES = st.binary(max_size=200) | st.builds(
    lambda text, codec, cut: text.encode(
        codec, "replace" if codec in ("latin-1", "cp1252") else "surrogatepass"
    )[: cut or None],
    _TEXTS,
    st.sampled_from(_CODECS),
    st.integers(-3, 0),
)
_WORDS = (
    *(
        "every",
        "daily",
        "weekdays",
        "monday",
        "mon",
        "hourly",
        "at",
        "09:00",
        "24:00",
        "9.5",
        "6",
        "0",
        "999999999",
    ),
    *(
        "hours",
        "hour",
        "minutes",
        "min",
        "h",
        "*",
        "*/5",
        "1-5",
        "59 23 31 12 *",
        "0 0 30 2 *",
        "@daily",
        "L",
        "#",
    ),
    *("R", "H", "?", "-1", "1,2,3", "sun", "٣", "０", "\u200b", "every every", "60 * * * *"),
)
_RULES = st.lists(st.sampled_from(_WORDS) | st.text(max_size=6), max_size=7).map(" ".join)
_MESSAGES = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=25).map("".join)


def _one_line(error: Exception) -> None:
    assert str(error).strip(), repr(error)
    assert "\n" not in str(error), str(error)


def _decode(data: bytes, folder: Path) -> None:
    try:
        text = decode(data, "x")
    except CorpusError as error:
        _one_line(error)
        return
    assert text.strip()
    assert "\r" not in text
    assert text.encode().decode() == text
    assert corpus_text.clean(text, name="x") == text


def _table(case: tuple[bytes, str, str | None], folder: Path) -> None:
    data, ending, column = case
    path = folder / f"table.{ending}"
    path.write_bytes(data)
    try:
        reader = CorpusReader([path], ReadingOptions(column=column))
        text = "".join(piece.text for piece in reader.pieces())
    except CorpusError as error:
        _one_line(error)
        return
    assert text.encode().decode() == text
    assert corpus_text.clean(text, name="x") == text


def _bundle(seed: int, folder: Path) -> None:
    which = seed % len(mutated_bundles.SHAPES)
    base = folder / f"base{which}"
    if not base.exists():
        mutated_bundles.write_base(base, mutated_bundles.SHAPES[which])
    case, taken = folder / "case", folder / "taken"
    for path in (case, taken):
        shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(base, case)
    mutated_bundles.Mutator(seed).mutate(case, mutated_bundles.SHAPES[which])
    try:
        packed = archive.pack(case, 10_000_000)
        assert packed is not None
        draw = random.Random(seed)
        if draw.random() < 0.5:
            damaged = bytearray(packed)
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
            packed = bytes(damaged)
        zipped = folder / "taken.zip"
        zipped.write_bytes(packed)
        archive.unpack(zipped, taken)
        mutated_bundles.write_text(taken, seed % 1_000)
    except (TextgenError, UserError) as error:
        _one_line(error)


def _rule(typed: str, folder: Path) -> None:
    try:
        rule = read_rule(typed)
    except UnreadableRule as error:
        _one_line(error)
        return
    assert read_rule(rule.text) == rule
    assert rule.shortest_gap.total_seconds() >= 60


def _message(text: str, folder: Path) -> None:
    shown = safe_text.safe(text)
    assert not live(shown), live(shown)
    assert shown.encode().decode() == shown
    assert safe_text.clean(safe_text.clean(text)) == safe_text.clean(text)
    assert len(safe_text.safe_within(text, 100)) <= 100
    assert not live(safe_text.safe_within(text, 100))


_TABLES = st.tuples(
    _FILES,
    st.sampled_from(("csv", "tsv", "jsonl", "ndjson")),
    st.none() | st.sampled_from(("text", "1", "a")),
)
_TARGETS: dict[str, tuple[st.SearchStrategy, Callable]] = {
    "decoding": (_FILES, _decode),
    "tables": (_TABLES, _table),
    "bundles": (st.integers(0, 2**40), _bundle),
    "schedules": (_RULES, _rule),
    "messages": (_MESSAGES, _message),
}


def run(folder: Path, *, short: bool) -> Iterator[Figure]:
    """Fuzz each target for its share of the time."""
    seconds = _SHORT_S if short else _SECONDS
    # Two at once, as there are two cores.
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as lanes:
        jobs = {name: lanes.submit(_fuzz, name, folder / name, seconds) for name in _TARGETS}
        for name, job in jobs.items():
            tried, slowest, failure = job.result()
            print(name, failure)
            yield Figure(f"{name}: {tried:,} inputs in {seconds:g} s: wrong", bool(failure), "", "≤ 0")
            yield Figure(f"{name}: slowest", slowest, "s", f"≤ {_SLOWEST_S:g}")


def _fuzz(name: str, folder: Path, seconds: float) -> tuple[int, float, str]:
    """Return how many inputs were tried, the slowest one's seconds, and what was wrong."""
    folder.mkdir()
    strategy, target = _TARGETS[name]
    tried, slowest = 0, 0.0

    def timed(case: object) -> None:
        nonlocal tried, slowest
        begun = time.thread_time()
        try:
            target(case, folder)
        finally:
            tried += 1
            slowest = max(slowest, time.thread_time() - begun)

    settings = hypothesis.settings(
        max_examples=_EXAMPLES if seconds > _SHORT_S else _SHORT_EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            settings(
                hypothesis.seed(random.SystemRandom().getrandbits(60))(hypothesis.given(strategy)(timed))
            )()
        except Exception:  # noqa: BLE001 -- whatever it is, it is what was looked for
            return tried, slowest, "".join(traceback.format_exception(*sys.exc_info())[-6:])
    return tried, slowest, ""
