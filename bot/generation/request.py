"""What a person asks of a model, and the sample that answers it: the values every step of `/generate` shares.

A new sampling control is one more field of `SamplingOptions`, and an option of `bot.commands.generate`.
"""

import dataclasses
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bot.guilds.settings import MAX_LENGTH, MAX_TEMPERATURE
from bot.i18n import _
from bot.text.card_style import decimal
from models import GuildSettings

MAX_SEED_CHARACTERS = 500
MAX_COUNT = 5
# Discord's largest whole number, minus the random seeds of the further texts of one message.
MAX_RANDOM_SEED = 2**53 - MAX_COUNT
# Random seeds that the bot draws are below this, so that people can type them.
DRAWN_BELOW = 2**32
# People mean "as few tokens as possible" by a probability of 0, which the sampler refuses.
SMALLEST_PROBABILITY = 1e-9
# Share of the second model of a blend, as at the shell.
DEFAULT_MIX = 0.5

# Lowest and highest value of each number.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "length": (1, MAX_LENGTH),
    "temperature": (0.0, MAX_TEMPERATURE),
    "top_p": (0.0, 1.0),
    "typical_p": (0.0, 1.0),
    "count": (1, MAX_COUNT),
}


@dataclass(frozen=True)
class SamplingOptions:
    """How texts are sampled. None leaves a value to the server's settings or to chance.

    Numbers are rounded to thousandths, which is what a button's id holds. A number outside its bounds becomes
    the nearest bound: old buttons and schedules may hold one.

    Attributes:
        length: characters (or words at word level) to write, 1 to `MAX_LENGTH`.
        temperature: 0 (always the likeliest token) to `MAX_TEMPERATURE`.
        top_p: sample from the likeliest tokens that together have this probability, 0 to 1; None: from all.
        random_seed: the same seed gives the same text; further texts use the numbers after it.
        count: number of texts, 1 to `MAX_COUNT`.
        typical_p: sample from the most typical tokens that together have this probability, 0 to 1; None: from
            all.
    """

    length: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    random_seed: int | None = None
    count: int = 1
    typical_p: float | None = None

    # How `to_id` writes options, as a regular expression. Older buttons end after top-p.
    ID = r"(?P<length>\d{1,5}):(?P<temperature>\d{1,5}):(?P<top_p>\d{1,4}|-)(:t(?P<typical_p>\d{1,4}))?"

    def __post_init__(self) -> None:
        """Round every number and bring it within its bounds."""
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, round(min(max(value, low), high), 3))

    def completed(self, settings: GuildSettings) -> Self:
        """The options with everything that was left open: the server's values, and a drawn random seed."""
        return dataclasses.replace(
            self,
            length=settings.length if self.length is None else self.length,
            temperature=settings.temperature if self.temperature is None else self.temperature,
            random_seed=secrets.randbelow(DRAWN_BELOW) if self.random_seed is None else self.random_seed,
        )

    def for_sampler(self) -> dict[str, Any]:
        """The options as keywords of `textgen.sampling.SamplingSettings`."""
        keywords = dataclasses.asdict(self)
        for name in ("top_p", "typical_p"):
            if keywords[name] is not None:
                keywords[name] = max(keywords[name], SMALLEST_PROBABILITY)
        return keywords

    def in_words(self) -> list[str]:
        """What the line below a sample says of its options; they are `completed`."""
        values = (
            (_("temperature {number}"), self.temperature),
            (_("top-p {number}"), self.top_p),
            (_("typical-p {number}"), self.typical_p),
        )
        words = [text.format(number=decimal(value)) for text, value in values if value is not None]
        return [*words, _("random seed {number}").format(number=self.random_seed)]

    def to_id(self) -> str:
        """The options as part of a button's id, in thousandths; random seed and count are left out."""
        temperature, top_p = (
            "-" if value is None else str(round(value * 1000)) for value in (self.temperature, self.top_p)
        )
        typical_p = "" if self.typical_p is None else f":t{round(self.typical_p * 1000)}"
        return f"{self.length}:{temperature}:{top_p}{typical_p}"

    @classmethod
    def from_id(cls, match: re.Match[str], *, count: int = 1) -> Self:
        """Read the options from a button's id that matched `ID`."""
        return cls(
            length=int(match["length"]),
            temperature=int(match["temperature"]) / 1000,
            top_p=None if match["top_p"] == "-" else int(match["top_p"]) / 1000,
            typical_p=None if match["typical_p"] is None else int(match["typical_p"]) / 1000,
            count=count,
        )


@dataclass(frozen=True)
class Blend:
    """The second model of a blend (`textgen.blending`).

    Attributes:
        model: its name as a person typed it, or its id from a button.
        mix: its share, 0 to 1, rounded to thousandths as in a button's id.
    """

    model: str | int
    mix: float = DEFAULT_MIX

    # How `to_id` writes a blend, as a regular expression.
    ID = r"\+(?P<other>\d{1,18})@(?P<mix>\d{1,4})"

    def __post_init__(self) -> None:
        """Round the share and bring it within its bounds."""
        object.__setattr__(self, "mix", round(min(max(self.mix, 0.0), 1.0), 3))

    def to_id(self) -> str:
        """The blend as part of a button's id."""
        return f"+{self.model}@{round(self.mix * 1000)}"

    @classmethod
    def from_id(cls, match: re.Match[str]) -> Self | None:
        """Read the blend from a button's id in which `ID` may have matched."""
        return None if match["other"] is None else cls(int(match["other"]), int(match["mix"]) / 1000)


@dataclass(frozen=True)
class GenerationRequest:
    """What a person, a button or a schedule asks for.

    Attributes:
        model: a model's name as a person typed it, or its id from a button; None: the server's default.
        blend: the model that it is blended with; None for the model alone.
        seed: text to continue; empty: the model starts from a line of its corpus.
        options: how to sample.
        found: the seed was taken from a message; nobody typed it.
    """

    model: str | int | None = None
    seed: str = ""
    options: SamplingOptions = SamplingOptions()
    found: bool = False
    blend: Blend | None = None


@dataclass(frozen=True)
class Sample:
    """A text that a model wrote, with the server's hidden words hidden.

    Attributes:
        model_name: what the server calls the model, or both of a blend.
        seed: the text that the sample continues.
        text: what the model wrote, without the seed.
        options: how it was sampled; the random seed is this text's own.
        copied: characters of the longest passage that stands in the corpus; 0 if the server allows it.
        ended_early: a person ended the model's training early.
        left_out: symbols of the seed that the model has never seen; `seed` lacks them.
        receipt: the code that draws it again (`textgen.receipts.code`); empty if none can.
    """

    model_name: str
    seed: str
    text: str
    options: SamplingOptions
    copied: int = 0
    ended_early: bool = False
    left_out: tuple[str, ...] = ()
    receipt: str = ""


@dataclass(frozen=True)
class Generated:
    """The samples of one request, and what a button needs to ask for more.

    Attributes:
        samples: one or more.
        model_id: id of the model that wrote them.
        options: how they were sampled; complete.
        blend: the second model, by its id; None without one.
    """

    samples: tuple[Sample, ...]
    model_id: int
    options: SamplingOptions
    blend: Blend | None = None
