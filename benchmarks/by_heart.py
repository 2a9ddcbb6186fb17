"""How much of its corpus the bot repeats with its defaults: the default model on each kind of text.

``python -m benchmarks.by_heart [SECONDS [CORPUS ...]]`` trains on each corpus of `benchmarks.presets` and has
a hundred texts written as the bot does: again, and kept from copying, where one repeats too much.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.learning import train
from benchmarks.presets import write_corpora
from bot.generation.request import SamplingOptions
from bot.generation.sampler_protocol import SampledText, SamplerRequest
from bot.generation.service import without_copies
from models.tables.guilds import DEFAULT_LENGTH, DEFAULT_LONGEST_COPY, DEFAULT_TEMPERATURE
from textgen.evaluation.copies import CopyIndices
from textgen.evaluation.memorization import copied_share
from textgen.model import TextModel
from textgen.sampling import SamplingSettings

TEXTS = 100
_GRAM = 50


class Writer:
    """Writes texts in this process as the bot's samplers do."""

    def __init__(self, bundle: Path, corpus: Path) -> None:
        """Take a model and the text that it learned from."""
        self._model, self._corpus = TextModel.load(bundle), corpus
        self._indices = CopyIndices()
        options = SamplingOptions(length=DEFAULT_LENGTH, temperature=DEFAULT_TEMPERATURE, random_seed=0)
        self.request = SamplerRequest(
            bundle=bundle, seed="", options=options, corpus=corpus, longest_copy=DEFAULT_LONGEST_COPY
        )

    async def samples(self, request: SamplerRequest) -> tuple[SampledText, ...]:
        """Write the texts of a request."""
        options = request.options
        settings = SamplingSettings(
            options.length, options.temperature, random_seed=options.random_seed, count=options.count
        )
        watched = self._indices.watched(str(self._corpus), request.longest_copy)
        corpora = [watched] if request.original else []
        return tuple(
            SampledText("", sample.text, sample.random_seed, self._longest_copy(sample.text, request))
            for sample in self._model.samples("", settings, corpora)
        )

    def _longest_copy(self, text: str, request: SamplerRequest) -> int:
        return self._indices.longest_copy(text, str(self._corpus), request.longest_copy)

    async def sent(self, number: int) -> tuple[str, SampledText]:
        """Return the first text with a random seed, and what the bot sends."""
        options = dataclasses.replace(self.request.options, random_seed=number)
        (first,) = await self.samples(dataclasses.replace(self.request, options=options))
        return first.text, await without_copies(self, self.request, first)


def main() -> None:
    seconds, wanted = sys.argv[1] if len(sys.argv) > 1 else "60", sys.argv[2:]
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        for corpus in write_corpora(Path(folder)):
            if wanted and corpus.name not in wanted:
                continue
            train(corpus, corpus / "model", "--time-limit", seconds)
            path = corpus / "input.txt"
            text, writer = path.read_text(encoding="utf-8"), Writer(corpus / "model", path)
            written = [asyncio.run(writer.sent(number)) for number in range(TEXTS)]
            before = copied_share([first for first, _ in written], text, _GRAM)
            copied = copied_share([sent.text for _, sent in written], text, _GRAM)
            marked = sum(sent.copied > 0 for _, sent in written)
            console.print(
                f"{corpus.name}: {copied:.3%} of the pieces of {_GRAM} characters are copied ({before:.3%} "
                f"without writing again); {marked} of {TEXTS} texts say so"
            )


if __name__ == "__main__":
    main()
