"""What the bot and a sampler process say to each other (`textgen.serving.stdio` has the other side)."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bot.generation.request import SamplingOptions

Locate = Callable[[Path, Path | None], tuple[Path, Path | None]]
"""Puts a bundle and its corpus on this host: from their keys to their paths."""


@dataclass(frozen=True)
class Blended:
    """The second model of a blend.

    Attributes:
        bundle: key of its bundle; its path once it is on this host.
        mix: its share, 0 to 1.
        corpus: as in a `SamplerRequest`.
    """

    bundle: Path
    mix: float
    corpus: Path | None = None


@dataclass(frozen=True)
class SamplerRequest:
    """What a sampler process writes.

    Attributes:
        bundle: key of the model's bundle; its path once it is on this host.
        seed: text to continue; empty: one of the bundle's line starts.
        options: how to sample; complete.
        corpus: key, later path, of a text that no sample should repeat; None: not checked.
        longest_copy: characters; a longer passage that stands in the corpus is reported.
        original: the texts are kept from repeating longer passages of their corpora.
        guild_id: Discord id of the server whose turn it takes.
        pretrained: the model was made from a pretrained base, which takes much memory and time.
        blended: the model that it is blended with; None for the model alone.
    """

    bundle: Path
    seed: str
    options: SamplingOptions
    corpus: Path | None = None
    longest_copy: int = 0
    original: bool = False
    guild_id: int = 0
    pretrained: bool = False
    blended: Blended | None = None

    @property
    def bundles(self) -> tuple[Path, ...]:
        """The bundles of the model, or of both models of a blend."""
        return (self.bundle,) if self.blended is None else (self.bundle, self.blended.bundle)

    def located(self, locate: Locate) -> Self:
        """The request with the paths of its one or two bundles and of their corpora."""
        bundle, corpus = locate(self.bundle, self.corpus)
        blended = self.blended
        if blended is not None:
            other, learned = locate(blended.bundle, blended.corpus)
            blended = dataclasses.replace(blended, bundle=other, corpus=learned)
        return dataclasses.replace(self, bundle=bundle, corpus=corpus, blended=blended)

    def as_json(self) -> dict[str, Any]:
        """The request as a JSON object, once its files are on this host."""
        more: dict[str, Any] = {"original": True} if self.original else {}
        if self.corpus:
            more["corpus"] = str(self.corpus)
        if self.blended is not None:
            other = more["with"] = {"bundle": str(self.blended.bundle), "mix": self.blended.mix}
            if self.blended.corpus:
                other["corpus"] = str(self.blended.corpus)
        return {
            "bundle": str(self.bundle),
            "seed": self.seed,
            "settings": self.options.for_sampler(),
            **more,
            "longest_copy": self.longest_copy,
            "server": str(self.guild_id),
            "measure": True,
            "receipt": True,
        }


@dataclass(frozen=True)
class LikelihoodRequest:
    """A text that a sampler process reads.

    Attributes:
        bundle: key of the model's bundle; its path once it is on this host.
        text: what the model may have written.
        guild_id: Discord id of the server whose turn it takes.
        pretrained: as in `SamplerRequest`.
    """

    bundle: Path
    text: str
    guild_id: int = 0
    pretrained: bool = False

    @property
    def bundles(self) -> tuple[Path, ...]:
        """The bundle of the model."""
        return (self.bundle,)

    def located(self, locate: Locate) -> Self:
        """The request with the path of its bundle."""
        return dataclasses.replace(self, bundle=locate(self.bundle, None)[0])

    def as_json(self) -> dict[str, Any]:
        """The request as a JSON object, once its files are on this host."""
        return {"op": "who", "bundle": str(self.bundle), "text": self.text, "server": str(self.guild_id)}


ModelRequest = SamplerRequest | LikelihoodRequest


@dataclass(frozen=True)
class Likelihood:
    """How well a model predicts a text (`textgen.evaluation.authorship.reading.Likelihood`).

    Attributes:
        nats_per_word: mean negative natural-log probability.
        expected_per_word: the same for text that the model's training held out.
        excess_per_word: the difference; the lower, the likelier the model wrote the text.
        error_per_word: standard error of the difference.
        unlike: the difference is too high for a text of its author.
        words: the words of the text.
        costs: for each word its nats, and those that are expected.
        as_read: the text as the model writes it, for example lower-cased.
    """

    nats_per_word: float
    expected_per_word: float
    excess_per_word: float
    error_per_word: float
    unlike: bool
    words: tuple[str, ...]
    costs: tuple[tuple[float, float], ...]
    as_read: str


@dataclass(frozen=True)
class SampledText:
    """A text as the sampler process wrote it.

    Attributes:
        seed: the seed as the model reads it.
        text: what the model wrote, without the seed.
        random_seed: gives the same text again.
        copied: characters of the longest passage that stands in the corpus; 0 if that is allowed.
        training: what ended the model's training.
        unseen: symbols of the seed that were left out because the model has never seen them.
        receipt: the code that draws it again; empty if none can.
    """

    seed: str
    text: str
    random_seed: int
    copied: int = 0
    training: str = ""
    unseen: tuple[str, ...] = ()
    receipt: str = ""


@dataclass(frozen=True)
class Refusal:
    """The process understood a request and refused it.

    Attributes:
        kind: name of the error's class.
        message: the error's message.
        line: the format that the message was made from.
        values: what stands for the names in `line`.
    """

    kind: str
    message: str
    line: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)


def refusal_of(error: Mapping[str, Any]) -> Refusal:
    """Read an answer's ``error``."""
    return Refusal(error["type"], error["message"], error.get("line", ""), error.get("values", {}))


def likelihood_of(answer: Mapping[str, Any]) -> Likelihood:
    """Read the answer to a `LikelihoodRequest`."""
    told = answer["likelihood"]
    # A token's error becomes a word's as its excess does; with no excess at all it does not matter.
    scale = told["excess_per_word"] / told["excess"] if told["excess"] else 1.0
    return Likelihood(
        told["nats_per_word"],
        told["expected_per_word"],
        told["excess_per_word"],
        told["error"] * scale,
        told["unlike"],
        tuple(answer["words"]),
        tuple((nats, expected) for nats, expected in told["words"]),
        answer["as_read"],
    )


def texts_of(answer: Mapping[str, Any]) -> tuple[SampledText, ...]:
    """Read the texts of an answer, in the order of their random seeds."""
    several = "texts" in answer
    texts = answer["texts"] if several else [answer["text"]]
    seeds = answer["seeds"] if several else [answer["seed"]]
    random_seeds = answer["random_seeds"] if several else [answer["random_seed"]]
    copied = answer.get("copied", [0] * len(texts))
    receipts = answer.get("receipts", [None] * len(texts))
    training, unseen = answer["training"], tuple(answer["unseen"])
    return tuple(
        SampledText(seed, text, random_seed, longest, training, unseen, receipt or "")
        for seed, text, random_seed, longest, receipt in zip(
            seeds, texts, random_seeds, copied, receipts, strict=True
        )
    )
