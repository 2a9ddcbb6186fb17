"""A text to write: its prompt, its settings, its random numbers, and what has been written of it."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from textgen.inference.scores import Score, Scores
from textgen.sampling.controls import Controls
from textgen.sampling.novelty.lines import Novelty
from textgen.sampling.novelty.passages import Passages
from textgen.sampling.prompt_end import PromptEnd
from textgen.sampling.settings import SamplingSettings
from textgen.sampling.writer import Ending, Mark, Writer
from textgen.tokenizers import Tokenizer, Tokens
from textgen.tokenizers.byte_pieces import BytePieces


@dataclass(slots=True, eq=False)
class Request:
    """A text to write.

    Attributes:
        prompt: tokens to read first, at least one.
        settings: with a random seed, and stop sequences as the model writes them; ``count`` is ignored.
        tokenizer: turns what is drawn into text.
        seed: the text of the prompt.
        unseen: symbols of the seed that the model does not know and that were dropped or replaced.
        folded: parts of the seed that were replaced by another form, each with that form.
        never_written: stop sequences that the model cannot write.
        novelty: rejects lines that stand in the corpus, or long passages of it; None accepts all.
        rest: the end of the seed that ``prompt`` leaves to the first drawn tokens (`PromptEnd`), in UTF-8.
        version: of the rules by which the text is drawn (``sampling`` of `textgen.bundle.manifest.Manifest`).
        controls: the logits processors.
        uniform: returns the next random number in [0, 1).
        feed: appends a token to the text.
        deadline: time at which the text must end, in seconds of `time.monotonic`; infinite without a limit.
        scores: the probabilities of its tokens; None if nobody asked for them.
    """

    prompt: Tokens
    settings: SamplingSettings
    tokenizer: Tokenizer
    seed: str = ""
    unseen: tuple[str, ...] = ()
    folded: tuple[tuple[str, str], ...] = ()
    never_written: tuple[str, ...] = ()
    novelty: Novelty | Passages | None = None
    rest: bytes = b""
    version: int = 1
    controls: Controls = field(init=False)
    uniform: Callable[[], float] = field(init=False)
    feed: Callable[[int], None] = field(init=False)
    deadline: float = field(init=False)
    scores: Scores | None = field(init=False, default=None)
    _writer: Writer = field(init=False)
    _shown: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Start the random numbers and the time limit of this request."""
        settings, tokenizer = self.settings, self.tokenizer
        self._writer = Writer(
            tokenizer.decoder(self.prompt),
            settings.length,
            settings.stop,
            counts_tokens=tokenizer.unit != "characters",
            skip=len(self.rest.decode()),
        )
        self.feed = self._writer.feed
        newer, end = self.version > 1, None
        if self.rest and isinstance(tokenizer, BytePieces):
            end = PromptEnd(self.rest, tokenizer, weighed=newer)
        self.controls = Controls(settings, self.prompt.tolist(), end, untempered_repeats=newer)
        # Python promises the same numbers for a seed in later versions; NumPy does not.
        self.uniform = random.Random(settings.random_seed).random  # noqa: S311 -- no secret
        limit = settings.time_limit_s
        self.deadline = math.inf if limit is None else time.monotonic() + limit

    @property
    def ended(self) -> Ending | None:
        """Why the text is complete, or None."""
        return self._writer.ended

    @property
    def text(self) -> str:
        """The text that has been written and cannot change any more."""
        return self._writer.text

    def take(self) -> str:
        """Return the part of `text` that was added since the last call."""
        # The current line or word may be rejected and drawn again.
        certain = None if self.ended is not None or self.novelty is None else self.novelty.begun
        piece = self._writer.take(certain)
        self._shown += len(piece)
        return piece

    def limit_tokens(self, most: int) -> None:
        """End the text after so many tokens, whatever its length; for levels where they differ."""
        self._writer.limit_tokens(most)

    def keep_scores(self, top: int) -> None:
        """Keep the probability of each token from now on, and of the ``top`` most likely ones."""
        self.scores = Scores(self.tokenizer, int(self.prompt[-1]), top, begin=-len(self.rest.decode()))
        self.feed = self._feed_scored

    def _feed_scored(self, token: int) -> None:
        self._writer.feed(token)
        assert self.scores is not None  # noqa: S101 -- this is fed only after `keep_scores`
        self.scores.add(token, self._writer.latest)

    def take_scores(self) -> list[Score]:
        """Return the scores of the tokens whose text `take` has returned since the last call."""
        return self.scores.take(self._shown, ended=self.ended is not None) if self.scores else []

    def kept(self) -> bool | None:
        """Return whether the lines, or the word, that have just ended are accepted; None if none has."""
        return self.novelty.judge(self._writer) if self.novelty else None

    def mark(self) -> Mark:
        """Return the current position in the text."""
        return self._writer.mark()

    def back(self, mark: Mark, token: int) -> None:
        """Rewind the text to a position; ``token`` is the one before it."""
        at_begin = mark.fed == 0
        self._writer.back(mark, self.tokenizer.decoder(self.prompt if at_begin else [token]))
        if self.scores is not None:
            self.scores.back(mark.fed, token)

    def end(self, ending: Ending) -> None:
        """End the text here."""
        self._writer.end(ending)
