"""What a model writes cannot ping, link, invite, format or turn the reading direction."""

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bot.embeds.sample_message import sample_message, seed_of
from bot.generation.request import Sample, SamplingOptions
from bot.text import safe_text
from bot.text.splitting import code_units

LIVE = re.compile(
    r"https?://|www\.|discord\.gg|discord(?:app)?\.com/invite|mailto:\S|@everyone|@here|<@|<#|<:|<t:",
    re.IGNORECASE,
)
BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

NASTY = [
    "@everyone @here <@1> <@&2> <#3> <:a:4> <a:b:5> <t:0:R> </generate:6>",
    "[click](https://evil.example) https://evil.example/?a=(b) HTTP://X.example www.evil.example",
    "discord.gg/abc DISCORD.GG/abc https://discord.com/invite/abc discordapp.com/invite/abc dsc.gg/x",
    "**bold** __under__ ~~gone~~ ||spoiler|| `code` ```block``` \\*",
    "# heading\n-# small\n> quote\n>>> all\n- list\n+ list\n1. list\n12) list",
    "\u202eabc\u2066def\u200f\u061c",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301 \x00\x07\x1b[31m \u2028",
    "",
    "\n\n\n",
    "*",
    "\\",
]
alphabet = st.sampled_from("ab \n*_~`|[](){}<>#-+.:/@\\1\u202e\u0301\u200b\U0001f468\u200d") | st.characters()
texts = st.sampled_from(NASTY) | st.text(alphabet) | st.lists(st.sampled_from(NASTY)).map("".join)


def sample(text: str, seed: str = "To be") -> Sample:
    return Sample("Bard", seed, text, SamplingOptions(200, 0.7, random_seed=1))


@given(texts)
def test_nothing_live_is_left(text: str):
    shown = safe_text.safe(text)
    assert not LIVE.search(re.sub(r"\\([^0-9A-Za-z\s])", r"\1", shown).replace("<", "")), shown
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_~`|\[\]<]", shown.replace("\\\\", "")), shown
    assert not BIDI.search(shown)
    for line in shown.split("\n"):
        assert not re.match(r"[ \t]*(?:[#>+-]|\d{1,9}[.)])", line), line


@given(texts)
def test_reading_it_back_gives_the_cleaned_text(text: str):
    assert safe_text.unescape(safe_text.safe(text)) == safe_text.clean(text)


@given(texts, texts.filter(str.strip))
def test_a_sample_stays_within_discords_limits_and_gives_its_seed_back(text: str, seed: str):
    seed = safe_text.clean(seed)[:500]
    message = sample_message([sample(text * 3, seed)])
    assert all(code_units(embed.description or "") <= 4096 for embed in message.embeds)
    assert sum(map(len, message.embeds)) <= 6000
    if seed.strip():

        class Shown:
            embeds = message.embeds

        assert seed_of(Shown()) == seed  # type: ignore[arg-type]


@given(texts, st.integers(1, 300))
def test_shortening_splits_no_grapheme_and_no_escape(text: str, limit: int):
    short = safe_text.shorten(text, limit)
    assert len(short) <= limit
    if short != text:
        kept = regex.findall(r"\X", short.removesuffix("…"))
        assert kept == regex.findall(r"\X", text)[: len(kept)]
    assert len(safe_text.safe_within(text, limit)) <= limit


def test_a_text_too_long_for_an_embed_comes_whole_as_a_file():
    text = "word * and another\n" * 300
    message = sample_message([sample(text)])
    assert "attached" in (message.embeds[0].description or "")
    assert [file.filename for file in message.files] == ["sample.txt"]
    assert message.files[0].fp.read().decode() == "To be" + text


@pytest.mark.parametrize("text", ["Plain prose, with a full stop.", "O'er—“yes”; 3.14 & so on: 10:30!"])
def test_prose_stays_as_it_is(text: str):
    assert safe_text.safe(text) == text
