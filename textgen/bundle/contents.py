"""A bundle in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textgen.bundle.manifest import Manifest
from textgen.corpus.known_lines import KnownLines
from textgen.errors import SettingsError
from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.files.bundle_files import FIRST_FORMAT, FORMAT, SEVERAL_EXPERTS
from textgen.network.cells.cell import Weights
from textgen.network.spec import NetworkSpec
from textgen.pretrained.base import Base
from textgen.pretrained.tuned.spec import TunedSpec
from textgen.tokenizers import Tokenizer, Tokens


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle in memory.

    Attributes:
        spec: shape of the network; of a fine-tuned base, shape of what was added to it.
        tokenizer: turns text into tokens and back.
        weights: the parameters, under the names of the spec's ``shapes``.
        manifest: what the bundle says about itself.
        experts: the counted models that the network mixes, as many as its spec names.
        known: the lines of a corpus with one item a line; None for other corpora.
        base: the base that was fine-tuned, which is no part of the bundle; None for a network of its own.
        fingerprint: hash of all that decides its texts (`textgen.files.fingerprint`); empty before it is
            written.
    """

    spec: NetworkSpec | TunedSpec
    tokenizer: Tokenizer
    weights: Weights
    manifest: Manifest
    experts: tuple[Expert, ...] = ()
    known: KnownLines | None = None
    base: Base | None = None
    fingerprint: str = ""

    @property
    def counted(self) -> KneserNey | None:
        """The n-grams among the experts; None if there are none."""
        return next((expert for expert in self.experts if isinstance(expert, KneserNey)), None)

    def having_read(self, tokens: Tokens) -> Bundle:
        """Return the model whose counts include those of one more text; the network stays as it is.

        Args:
            tokens: the text, at least one token.

        Raises:
            SettingsError: the model is no network of its own that mixes counts.
        """
        if self.base is not None or not self.experts:
            raise SettingsError("the model has no counts that could learn a text")
        experts = tuple(expert.joined(expert.of(tokens)) for expert in self.experts)
        return replace(self, experts=experts)

    @property
    def format(self) -> int:
        """The oldest format that describes it, so that earlier versions read what they can."""
        if self.manifest.sampling > 1:
            return FORMAT
        earlier = isinstance(self.spec, NetworkSpec) and not self.spec.experts
        return FIRST_FORMAT if earlier else SEVERAL_EXPERTS
