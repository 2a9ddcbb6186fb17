"""Texts that are small and made to cost much, of any length: shared by all who take a person's text.

Each is a run of something that a pattern, a normal form or a search may go over again and again: what it
looks back over, what it may begin at, or what it gives up on only at the very end.
"""

from __future__ import annotations

from collections.abc import Callable

Family = Callable[[int], str]


def _repeated(unit: str, before: str = "", after: str = "") -> Family:
    return lambda characters: before + unit * max(1, characters // len(unit)) + after


FAMILIES: dict[str, Family] = {
    # Unicode
    "marks of one class": _repeated("\u0301", "a"),
    "marks in the wrong order": lambda n: "a" + "\u0315" * (n // 2) + "\u0300" * (n // 2),
    "marks in turn": _repeated("\u0316\u0301\u0315\u0327", "a"),
    "marks that decompose": _repeated("\u0344\u0327", "a"),
    "half-width voice marks": _repeated("\uff9e\u0327", "ｶ"),
    "letters with many marks": _repeated("e" + "\u0315\u0300" * 400),
    "flags": _repeated("🇩"),
    "flags and letters": _repeated("🇩🇪🇫a"),
    "flags and joiners": _repeated("🇩\u200d"),
    "joined emoji": _repeated("\u200d👩", "👨"),
    "families": _repeated("👨‍👩‍👧‍👦"),
    "joiners": _repeated("\u200d", "👨"),
    "skin tones": _repeated("🏽", "👨"),
    "leading jamo": _repeated("\u1100"),
    "jamo": _repeated("\u1100\u1161\u11a8"),
    "viramas": _repeated("क\u094d"),
    "prepended signs": _repeated("\u0600"),
    "expanding signs": _repeated("\ufdfa"),
    "direction overrides": _repeated("\u202e"),
    "fillers": _repeated("\u3164"),
    "Σ and marks": _repeated("Σ\u0301"),
    # Letters, digits, white space
    "one letter": _repeated("a"),
    "two letters": _repeated("ab"),
    "digits": _repeated("1"),
    "ideographs": _repeated("漢"),
    "spaces": _repeated(" ", "x", "x"),
    "tabs": _repeated("\t", "x", "x"),
    "wide spaces": _repeated("\u00a0\u2003", "x", "x"),
    "line breaks": _repeated("\n", "x", "x"),
    "short lines": _repeated("a\n"),
    "lines of spaces": _repeated(" " * 50 + "\n"),
    "carriage returns": _repeated("\r", "x", "x"),
    # Words and punctuation
    "'s": _repeated("'s", "a"),
    "n't": _repeated("n't", "a"),
    "apostrophes": _repeated("'"),
    "letters and apostrophes": _repeated("a'"),
    "exclamation marks": _repeated("!"),
    "quotation marks": _repeated('"'),
    "full stops": _repeated("."),
    "abbreviations": _repeated("a."),
    "dots and letters": _repeated("..a"),
    "hyphens": _repeated("-"),
    "hyphens and letters": _repeated("-a"),
    "digits and commas": _repeated("1,"),
    "digits and colons": _repeated("1:"),
    "backticks": _repeated("`"),
    "brackets": _repeated("[("),
    "angle brackets": _repeated("<"),
    "bars": _repeated("|"),
    "stars": _repeated("*"),
    "underscores": _repeated("_"),
    "backslashes": _repeated("\\"),
    "sentence ends": _repeated('."', "x"),
    "columns": _repeated("a  ", after="b"),
    # Patterns for secrets
    "plus signs": _repeated("+"),
    "telephone numbers": _repeated("+1-(1)-(1)-(1)-(1)-(1)-(1)-(1)x "),
    "telephone digits": _repeated("1 ", "+"),
    "open telephone numbers": _repeated("+123 (456) 78 (90 12 "),
    "at signs": _repeated("a@"),
    "domains": _repeated("a.", "x@"),
    "long labels": _repeated("a" * 63 + ".", "x@"),
    "domain of hyphens": _repeated("a-", "@"),
    "sk-": _repeated("sk-"),
    "sk- and hyphens": _repeated("sk-" + "-" * 997),
    "xoxb-": _repeated("xoxb-" + "-" * 495),
    "ghp_": _repeated("ghp_"),
    "key headings": _repeated("-----BEGIN " + "A" * 1_000),
    "token heads": _repeated("M" + "a" * 23 + "."),
    "tokens": _repeated("M" + "a" * 23 + ".aaaaaa." + "a" * 26 + " "),
    # Patterns for chat logs
    "times": _repeated("12:34:56.7"),
    "open time": _repeated(" ", "[12:34"),
    "times and spaces": _repeated("12:34" + " " * 1_000 + "x\n"),
    "a long speaker": _repeated("x", "12:34 * "),
    "dated lines": _repeated("— 1-1-1, Today at 12:34" + " " * 500 + "x\n"),
    "dashes": _repeated(" — " * 40 + "\n"),
    "names without end": _repeated("1/1/1, 12:34 - " + "a" * 39 + "\n"),
    "open brackets after names": _repeated("a" + "[" * 40 + "\n"),
    "JSON authors": _repeated('"author":', '{"messages":['),
    "JSON authors and text": _repeated('"author":' + "x" * 300, '{"messages":['),
    "JSON brackets": _repeated("["),
    "JSON objects": _repeated('{"a":'),
    "CSV quotes": _repeated('"a""', "a,b\n"),
    "HTML tags": _repeated("<div "),
    # Discord's Markdown and links
    "schemes": _repeated("://"),
    "www": _repeated("www."),
    "invites": _repeated("discord.gg"),
    "mentions": _repeated("<@1"),
    "custom emoji": _repeated("<a:"),
    "commands": _repeated("</" + ":" * 30),
    "list marks": _repeated("1)"),
    "long list marks": _repeated("1" * 9 + "\n"),
    "fences": _repeated("```\n"),
    "rules": _repeated("***\n"),
}
