"""Ten thousand texts that a model could write, and what Discord would make of each message of them.

What is looked for is found by this file's own reading of Discord's rules, not by the bot's patterns.
"""

import random
import unicodedata
from collections.abc import Iterator
from typing import Any

import discord
import pytest
from discord.webhook.async_ import interaction_message_response_params

from bot.app import create_bot
from bot.embeds.sample_message import SampleMessage, report_card, sample_message
from bot.generation.request import Sample, SamplingOptions
from bot.settings import Settings
from bot.text.hidden_words import hide

HOSTS = (
    "discord.gg",
    "discord.com",
    "discordapp.com",
    "evil.example",
    "www.evil.example",
    "dsc.gg",
    "discord.me",
)
SCHEMES = ("http", "https", "HTTPS", "discord", "steam", "ftp", "mailto", "tel", "javascript")
INVISIBLE = (
    "\u200b",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u202e",
    "\u2066",
    "\u200f",
    "\ufe0f",
    "\x00",
    "\x1b[1m",
)
PIECES = (
    "@everyone", "@here", "<@1>", "<@!12>", "<@&123>", "<#45>", "</generate:6>", "<:a:7>", "<a:b:8>",
    "<t:1:R>", "<id:home>", "[", "](", ")", "<", ">", "(", "**", "__", "~~", "||", "`", "```", "*", "_", "\\",
    "\\\\", "# ", "-# ", ">>> ", "> ", "- ", "1. ", "\n", "\n\n", "\r\n", "\u2028", "word",
    "To be, or not to be. ", "日本語の文。", "שלום", "مرحبا", "👨‍👩‍👧‍👦", "🏳️‍🌈", "e\u0301",
    "Z" + "\u0351" * 40,
    "\ud800", "\U000e0041", "𝕳", " ", "\t", "a" * 400,
)  # fmt: skip


def nasty(draw: random.Random) -> str:
    """A text of pieces that mean something to Discord, broken up and put together anew."""

    def piece() -> str:
        kind = draw.random()
        if kind < 0.55:
            return draw.choice(PIECES)
        if kind < 0.75:
            path = draw.choice(("", "/", "/abc", "/invite/abc", "/?a=(b)", ":443/x"))
            link = (
                draw.choice((draw.choice(SCHEMES) + draw.choice((":", "://")), ""))
                + draw.choice(HOSTS)
                + path
            )
            at = draw.randrange(len(link) + 1)
            link = link[:at] + draw.choice(("", "", *INVISIBLE)) + link[at:]
            return draw.choice((link, link.upper(), f"<{link}>", f"[x]({link})", f"`{link}`"))
        if kind < 0.9:
            return draw.choice(INVISIBLE)
        return chr(
            draw.choice((draw.randrange(32, 127), draw.randrange(0x250, 0x3000), draw.randrange(0x110000)))
        )

    size = draw.choices((0, 1, 3, 10, 40, 200, 800), (4, 4, 18, 18, 12, 3, 1))[0]
    return "".join(piece() for _ in range(draw.randrange(size + 1))) * draw.choice((1, 1, 1, 5))


def messages(outputs: int) -> Iterator[tuple[SampleMessage, int]]:
    draw = random.Random(20260101)
    for _ in range(outputs):
        words = draw.choice(("", "", "word", "evil\nto be\n*"))
        count = draw.choice((1, 1, 1, 2, 5))
        samples = [
            Sample(
                model_name=draw.choice(("Bard", "@everyone", "`x`", "[a](https://evil.example)"))[:100],
                seed=hide(draw.choice(("", "To be", nasty(draw)[:500], nasty(draw))), words),
                text=hide(nasty(draw)[:12_000], words),
                options=SamplingOptions(
                    temperature=draw.random(),
                    random_seed=draw.randrange(2**53),
                    top_p=draw.choice((None, 0.9)),
                ),
                copied=draw.choice((0, 73)),
                ended_early=draw.random() < 0.5,
            )
            for _ in range(count)
        ]
        yield sample_message(samples), count


def units(text: str | None) -> int:
    """How Discord counts."""
    return len((text or "").encode("utf-16-le")) // 2


def rendered(text: str) -> Iterator[str]:
    """The text as a reader's client goes over it: an escaped sign stands for itself."""
    at = 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text) and not (text[at + 1].isalnum() or text[at + 1].isspace()):
            yield text[at : at + 2]
            at += 2
        else:
            yield text[at]
            at += 1


def live(text: str) -> list[str]:
    """All in a text that would ping, link, invite, unfold, format or turn the reading direction."""
    found = []
    signs = list(rendered(text))
    plain = "".join(sign[-1] for sign in signs)
    lowered = plain.lower()
    for scheme in ("http", "https", "discord", "steam", "ftp", "javascript"):
        at = lowered.find(scheme + "://")
        if at >= 0 and lowered[at + len(scheme) + 3 :][:1].strip():
            found.append(plain[at : at + 30])
    invites = ("discord.gg/", "discord.com/invite", "discordapp.com/invite", "dsc.gg/", "discord.me/")
    found += [host for host in (*invites, "www.") if host in lowered]
    found += [word for word in ("@everyone", "@here") if word in plain]
    # What has a meaning only where it is not escaped.
    open_signs = "".join(sign if len(sign) == 1 else "\0" for sign in signs)
    found += [f"open {sign}" for sign in "*_~`|[<" if sign in open_signs]
    for line in open_signs.split("\n"):
        begun = line.lstrip(" \t")
        if begun.startswith(("#", ">", "-", "+", "*")):
            found.append(f"line begins {begun[:5]!r}")
        digits = begun[: len(begun) - len(begun.lstrip("0123456789"))]
        if 0 < len(digits) < 10 and begun[len(digits) : len(digits) + 1] in (".", ")"):
            found.append(f"list begins {begun[:5]!r}")
    found += [
        f"U+{ord(sign):04X}"
        for sign in plain
        if unicodedata.bidirectional(sign) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or sign in "\u200e\u200f\u061c"
        or (unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t")
    ]
    return found


def seedless(description: str) -> str:
    """A description without what the bot itself means: the seed in bold, the note about the file."""
    if description.startswith("**"):
        signs = list(rendered(description[2:]))
        for at in range(len(signs) - 1):
            if signs[at] == signs[at + 1] == "*":
                return "".join([*signs[:at], *signs[at + 2 :]]).removesuffix("-# The whole text is attached.")
    return description.removesuffix("-# The whole text is attached.")


def test_the_detector_finds_what_is_live():
    for text in (
        "see https://evil.example", "DISCORD.GG/abc", "@everyone", "a *b*", "\\\\*a*", "# x", "a\n- b",
        "1. x", "\u202eabc", "<@1>", "https:\\//evil.example", "x discordapp.com/invite/a", "[x](y)", "||x||",
    ):  # fmt: skip
        assert live(text), text
    for text in ("Plain prose, 3.14: a-b (c) e.g. www", "\\*a\\* \\# b", "@\u200beveryone", "http:\u200b//x"):
        assert not live(text), text


@pytest.mark.parametrize("outputs", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_message_pings_links_invites_or_is_too_large(settings: Settings, outputs: int):
    mentions = create_bot(settings).allowed_mentions
    large = pieces = 0
    for message, count in messages(outputs):
        assert 1 <= len(message.embeds) <= 10
        assert len(message.files) <= count
        total = 0
        for embed in message.embeds:
            description = embed.description or ""
            assert units(description) <= 4096
            assert units(embed.footer.text) <= 2048
            assert not live(seedless(description)), (live(seedless(description)), description)
            assert not [found for found in live(embed.footer.text or "") if "open" not in found]
            assert description.strip() or embed.footer.text
            total += units(description) + units(embed.footer.text)
            pieces += 1
        assert total <= 6000
        with interaction_message_response_params(
            type=4, embeds=message.embeds, previous_allowed_mentions=mentions
        ) as sent:
            assert sent.payload
            assert sent.payload["data"]["allowed_mentions"] == {"parse": []}
        assert message.embeds[-1].footer.text
        large += bool(message.files)
    assert large > outputs // 100
    assert pieces > outputs


class Shown:
    """A message with embeds, as `report_card` reads it."""

    created_at = discord.utils.utcnow()
    jump_url = "https://discord.com/channels/1/2/3"
    flags = discord.MessageFlags()

    def __init__(self, embeds: list[discord.Embed]) -> None:
        self.embeds = embeds


@pytest.mark.slow
def test_a_report_of_any_of_them_is_as_safe():
    for message, _ in messages(500):
        shown: Any = Shown(message.embeds)
        card = report_card(shown, 5)
        assert len(card) <= 6000
        lines = (card.description or "").split("\n")
        assert all(line.startswith("> ") for line in lines)
        assert not live("\n".join(line[2:] for line in lines)), lines
