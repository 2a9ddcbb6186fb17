"""Novelty: a line that stands in the corpus is rejected and drawn again.

The sequence of random numbers continues, so the same random seed gives the same text, alone or in a batch.
The number of retries is limited, since a model may know hardly any other line.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from textgen.sampling.writer import Writer

TRIES_A_LINE = 50
TRIES_A_TEXT = 500


@dataclass(slots=True, eq=False)
class Novelty:
    """Judges the lines of one text.

    Attributes:
        known: the corpus' lines.
        line: the part of the current line that the seed already holds.
        hopeless: whether a retry would write the same line (at temperature 0).
        begun: number of pieces of the text before the line.
        copied: number of lines that were accepted although they stand in the corpus.
    """

    known: Container[str]
    line: str = ""
    hopeless: bool = False
    begun: int = 0
    copied: int = 0
    _tries_of_line: int = 0
    _tries: int = 0

    def judge(self, writer: Writer) -> bool | None:
        """Return whether the lines that have just ended are accepted, or None if no line has ended."""
        written = writer.since(self.begun)
        stopped = writer.ended == "stop"
        if not stopped and "\n" not in written:
            return None
        *ended, rest = (self.line + written).split("\n")
        if stopped:
            ended.append(rest)
        if not any(line in self.known or not line.strip() for line in ended):
            return self._keep(writer, rest)
        self._tries += 1
        self._tries_of_line += 1
        if self.hopeless or self._tries_of_line > TRIES_A_LINE or self._tries > TRIES_A_TEXT:
            self.copied += sum(1 for line in ended if line in self.known)
            return self._keep(writer, rest)
        return False

    def _keep(self, writer: Writer, rest: str) -> bool:
        self.begun, self.line, self._tries_of_line = writer.pieces, rest, 0
        return True
