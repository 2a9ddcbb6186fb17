"""A finished sample: the text, and all that is needed to write it again."""

from __future__ import annotations

from dataclasses import dataclass

from textgen.sampling.novelty.lines import Novelty
from textgen.sampling.request import Request
from textgen.sampling.writer import Ending


@dataclass(frozen=True, slots=True)
class Sample:
    """A sampled text and what is needed to write it again.

    Attributes:
        text: the text that the model wrote, without the seed.
        seed: the text that it continues.
        random_seed: the same random seed, settings and seed give the same text.
        ended: why the text ends: "length", "stop", "time limit" or "cancelled".
        unseen: symbols of the seed that the model does not know; they were dropped or replaced.
        folded: parts of the seed that were replaced by another form, each with that form.
        never_written: stop sequences, as they were given, that the model cannot write.
        copied_lines: number of lines that stand in the corpus although they were drawn again up to the limit.

    Example:
        >>> model = textgen.load("model")
        >>> sample = model.sample("To be", textgen.SamplingSettings(length=20, random_seed=7))
        >>> len(sample.text), sample.random_seed, sample.ended
        (20, 7, 'length')
    """

    text: str
    seed: str
    random_seed: int
    ended: Ending = "length"
    unseen: tuple[str, ...] = ()
    folded: tuple[tuple[str, str], ...] = ()
    never_written: tuple[str, ...] = ()
    copied_lines: int = 0

    @classmethod
    def of(cls, request: Request) -> Sample:
        """Return the sample of a request."""
        return cls(
            request.text,
            request.seed,
            request.settings.random_seed or 0,
            request.ended or "cancelled",
            request.unseen,
            request.folded,
            request.never_written,
            request.novelty.copied if isinstance(request.novelty, Novelty) else 0,
        )
