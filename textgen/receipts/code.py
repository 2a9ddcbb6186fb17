"""A receipt: everything that draws a text again except its seed, as a code of letters and digits.

The code is short enough for a footer and survives copying: its case does not matter, and nor does an O for
a 0 or an l for a 1. It begins with `PREFIX`, whose digit is the version. Then come, in Crockford's Base32:
the beginning of the model's fingerprint, the options as numbers of variable length, the second model of a
blend with its share, and a CRC-16 of the rest.

A code proves nothing. It says which text to draw, and only the comparison with that text decides.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
import zlib
from dataclasses import dataclass

from textgen.errors import SettingsError

PREFIX = "TG1"
LONGEST_CODE = 400
"""Characters."""
MODEL_DIGITS = 10
"""Hexadecimal digits of a fingerprint in a code."""

LONGEST_COPY = 2_000
"""The largest limit of a copied passage, in characters: an index takes time and memory by it."""

_LARGEST_WHOLE = 2**63 - 1
_LARGEST_NUMBER = 10.0
_THOUSANDTHS = 1000
_MOST_STOPS = 16

_CODE = re.compile(rf"(?<![^\W_]){PREFIX}[0-9A-Z]{{16,{LONGEST_CODE}}}(?![^\W_])", re.IGNORECASE)
_DIGITS = re.compile(f"[0-9a-f]{{{MODEL_DIGITS}}}")
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TO_CROCKFORD = str.maketrans(_BASE32, _CROCKFORD)
_FROM_CROCKFORD = str.maketrans(_CROCKFORD + "OIL", _BASE32 + "ABB")

# The order is that of the bits that say which are there, and of the values in a code.
_WHOLE = ("top_k", "no_repeat_ngram", "repetition_window")
_NUMBERS = ("top_p", "min_p", "typical_p", "repetition_penalty")
_SEEDED, _STOP, _NOVEL, _NOT_NOVEL, _REPLACED, _FIRST = 1, 2, 4, 8, 16, 32
_BLENDED = _FIRST << len(_WHOLE + _NUMBERS)
_ORIGINAL = _BLENDED << 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """What it takes to draw a text again.

    Attributes:
        model: the first `MODEL_DIGITS` hexadecimal digits of the model's fingerprint.
        random_seed: the text's own.
        length: the most characters (or words) that were asked for.
        temperature: 0 to 10.
        seed_characters: length of the seed, with which the text begins; None: the model chose its seed.
        seed_check: `check_of` the seed; 0 without one.
        top_k: as in `textgen.sampling.SamplingSettings`, like the fields after it.
        no_repeat_ngram: see there.
        repetition_window: see there; None without a penalty.
        top_p: see there.
        min_p: see there.
        typical_p: see there.
        repetition_penalty: see there.
        stop: see there.
        novel: see there.
        replaced: unseen symbols of the seed stand for the unknown token; else it has none.
        other: of a blend, the same digits of the second model's fingerprint; else empty.
        mix: share of the second model, above 0 and below 1; 0 without one.
        longest_copy: the text was kept from repeating more characters of its corpus in one piece
            (`textgen.sampling.novelty.passages`); None: it was not.

    Raises:
        SettingsError: a value lies outside its bounds. `SamplingSettings` has closer ones.
    """

    model: str
    random_seed: int
    length: int
    temperature: float
    seed_characters: int | None = None
    seed_check: int = 0
    top_k: int | None = None
    no_repeat_ngram: int | None = None
    repetition_window: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical_p: float | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    novel: bool | None = None
    replaced: bool = False
    other: str = ""
    mix: float = 0.0
    longest_copy: int | None = None

    def __post_init__(self) -> None:
        """Check every bound."""
        whole = [self.random_seed, self.length, self.seed_characters, self.seed_check]
        whole += [getattr(self, name) for name in _WHOLE]
        numbers = [self.temperature, *(getattr(self, name) for name in _NUMBERS)]
        if (
            not _DIGITS.fullmatch(self.model)
            or bool(self.other) != (0 < self.mix < 1)
            or (self.other and not _DIGITS.fullmatch(self.other))
            or not all(value is None or 0 <= value <= _LARGEST_WHOLE for value in whole)
            or not all(value is None or 0 <= value <= _LARGEST_NUMBER for value in numbers)
            or self.seed_check >= 2**32
            or not 0 <= (self.longest_copy or 0) <= LONGEST_COPY
            or len(self.stop) > _MOST_STOPS
        ):
            raise SettingsError("these options are none that a text can be drawn with")

    def to_code(self) -> str:
        """Return the code.

        Raises:
            SettingsError: the stop sequences are too long for one.
        """
        flags = _SEEDED * (self.seed_characters is not None) | _STOP * bool(self.stop)
        flags |= _NOVEL * (self.novel is True) | _NOT_NOVEL * (self.novel is False)
        flags |= _REPLACED * self.replaced | _BLENDED * bool(self.other)
        flags |= _ORIGINAL * (self.longest_copy is not None)
        body = _whole(self.random_seed) + _whole(self.length) + _number(self.temperature)
        if self.seed_characters is not None:
            body += _whole(self.seed_characters) + self.seed_check.to_bytes(4, "big")
        for bit, name in enumerate((*_WHOLE, *_NUMBERS)):
            value = getattr(self, name)
            if value is not None:
                flags |= _FIRST << bit
                body += _whole(value) if name in _WHOLE else _number(value)
        if self.stop:
            body += _whole(len(self.stop))
            for text in self.stop:
                data = text.encode("utf-8", "surrogatepass")
                body += _whole(len(data)) + data
        if self.other:
            body += bytes.fromhex(self.other) + _number(self.mix)
        if self.longest_copy is not None:
            body += _whole(self.longest_copy)
        body = bytes.fromhex(self.model) + _whole(flags) + body
        body += binascii.crc_hqx(body, 0).to_bytes(2, "big")
        code = PREFIX + base64.b32encode(body).decode().rstrip("=").translate(_TO_CROCKFORD)
        if len(code) > LONGEST_CODE:
            raise SettingsError(
                f"the stop sequences would make a code of {len(code):,} characters; "
                f"at most {LONGEST_CODE} are written: give fewer or shorter ones"
            )
        return code

    @classmethod
    def from_code(cls, code: str) -> Receipt:
        """Read a code.

        Raises:
            SettingsError: it is none, or it was damaged.
        """
        code = code.strip()
        if not _CODE.fullmatch(code) or len(code) > LONGEST_CODE:
            raise SettingsError(f"{code[:60]!r} is no code of a text; one begins with {PREFIX}")
        letters = code[len(PREFIX) :].upper().translate(_FROM_CROCKFORD)
        try:
            data = base64.b32decode(letters + "=" * (-len(letters) % 8))
            receipt = cls._read(data)
        except (ValueError, IndexError, OverflowError, struct.error, SettingsError):
            receipt = None
        # The second comparison leaves one way to write each receipt.
        if receipt is None or receipt.to_code()[len(PREFIX) :].translate(_FROM_CROCKFORD) != letters:
            raise SettingsError(f"the code {code} is damaged; copy it again, with all its letters and digits")
        return receipt

    @classmethod
    def _read(cls, data: bytes) -> Receipt:
        body = _Reader(data[:-2])
        if binascii.crc_hqx(data[:-2], 0).to_bytes(2, "big") != data[-2:]:
            raise ValueError
        model = body.take(MODEL_DIGITS // 2).hex()
        flags = body.whole()
        values: dict[str, object] = {
            "random_seed": body.whole(), "length": body.whole(), "temperature": body.number()
        }  # fmt: skip
        if flags & _SEEDED:
            values["seed_characters"] = body.whole()
            values["seed_check"] = int.from_bytes(body.take(4), "big")
        for bit, name in enumerate((*_WHOLE, *_NUMBERS)):
            if flags & _FIRST << bit:
                values[name] = body.whole() if name in _WHOLE else body.number()
        if flags & _STOP:
            count = body.whole()
            if count > _MOST_STOPS:
                raise ValueError
            values["stop"] = tuple(
                body.take(body.whole()).decode("utf-8", "surrogatepass") for _ in range(count)
            )
        if flags & (_NOVEL | _NOT_NOVEL):
            values["novel"] = bool(flags & _NOVEL)
        if flags & _BLENDED:
            values |= {"other": body.take(MODEL_DIGITS // 2).hex(), "mix": body.number()}
        if flags & _ORIGINAL:
            values["longest_copy"] = body.whole()
        if body.rest:
            raise ValueError
        return cls(model=model, replaced=bool(flags & _REPLACED), **values)  # type: ignore[arg-type]


def check_of(seed: str) -> int:
    """Return the 32 bits by which a receipt knows a seed."""
    return zlib.crc32(seed.encode("utf-8", "surrogatepass"))


def find_code(text: str) -> re.Match[str] | None:
    """Return where the last code of a text stands, or None if there is none."""
    found = None
    for found in _CODE.finditer(text):  # noqa: B007 -- the last one is wanted
        pass
    return found


def _whole(value: int) -> bytes:
    """Write a whole number in groups of seven bits, the lowest first; all but the last have the top bit."""
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])


def _number(value: float) -> bytes:
    """Write a number as thousandths if it has no more digits than these, else as a double."""
    thousandths = round(value * _THOUSANDTHS)
    if thousandths / _THOUSANDTHS == value:
        return _whole(thousandths << 1)
    return _whole(1) + struct.pack(">d", value)


class _Reader:
    """Takes values from the bytes of a code."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise ValueError
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def whole(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise ValueError

    def number(self) -> float:
        value = self.whole()
        if value & 1:
            (double,) = struct.unpack(">d", self.take(8))
            if not math.isfinite(double):
                raise ValueError
            return float(double)
        return (value >> 1) / _THOUSANDTHS
