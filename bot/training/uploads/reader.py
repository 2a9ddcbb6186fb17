"""`python -m bot.training.uploads.reader SOURCE TARGET NAME`: read an upload, and write its clean text.

It writes the figures, or the reason for a refusal, to standard output as JSON. It runs under limits
(`bot.infra.children.untrusted_input`), so it must import neither Discord nor NumPy.
"""

import dataclasses
import hashlib
import json
import sys
from functools import partial
from pathlib import Path

from textgen.corpus import Measurer
from textgen.corpus.reading.encoding import Decoder
from textgen.corpus.reading.text import clean_pieces
from textgen.errors import CorpusError
from textgen.files.atomic import sync

BLOCK_BYTES = 1 << 20


def main() -> None:
    """Read the file once, a block at a time."""
    source, target, name = sys.argv[1:]
    try:
        answer = _taken_in(Path(source), Path(target), name)
    except CorpusError as error:
        answer = {"line": error.line, "values": error.values}
    except OSError as error:
        answer = {"errno": error.errno}
    json.dump(answer, sys.stdout)


def _taken_in(source: Path, target: Path, name: str) -> dict[str, object]:
    measurer, digest = Measurer(), hashlib.sha256()
    with target.open("wb") as file, source.open("rb") as upload:
        blocks = iter(partial(upload.read, BLOCK_BYTES), b"")
        for piece in clean_pieces(Decoder(name).decode_all(blocks), name=name):
            measurer.add(piece)
            stored = piece.encode()
            digest.update(stored)
            file.write(stored)
        sync(file)
    return {"sha256": digest.hexdigest(), "stats": dataclasses.asdict(measurer.stats())}


if __name__ == "__main__":
    main()
