"""Bundles with hostile contents whose hashes fit, read and sampled by the compiled step.

    python -m tests.faults.tools.mutated_bundles FOLDER LIBRARY_FOLDER COUNT SEED

Prints a JSON object: how many were refused, how many wrote text, and other exceptions with their places.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import safetensors.numpy

from tests.faults.tools.tally import tally
from tests.support.textgen.bundles import manifest_of
from textgen import bundle
from textgen.bundle import Bundle
from textgen.errors import TextgenError
from textgen.experts import compiled_mixing
from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.experts.long import Long
from textgen.experts.words import Words
from textgen.files import atomic, bundle_files
from textgen.model import TextModel
from textgen.network.cells.linear import compiled_step
from textgen.network.spec import NetworkSpec
from textgen.tokenizers import CharacterTokenizer

Shape = tuple[int, int, int, int, int]

SHAPES: tuple[Shape, ...] = (
    *((2, 1, 1, 0, 0), (2, 2, 3, 1, 0), (21, 8, 6, 0, 0), (21, 24, 4, 2, 0)),
    *((300, 16, 5, 0, 0), (1100, 8, 4, 0, 0)),
    *((2, 2, 3, 1, 1), (21, 8, 6, 0, 1), (300, 16, 5, 0, 1), (1100, 8, 4, 0, 1)),
)
"""Vocabulary, units, n-gram order, expansion, and whether it has all experts."""
_REQUESTS = ((1, 1.0, None), (3, 0.7, 0.9), (2, 0.0, None), (5, 2.0, 1e-9))
"""Count, temperature, top_p."""


def write_base(path: Path, shape: Shape, seed: int = 1) -> None:
    """Write a bundle of random weights and n-grams."""
    vocabulary, units, prior, expansion, words = shape
    numbers = np.random.default_rng(seed)
    tokenizer = CharacterTokenizer("".join(map(chr, range(0x4E00, 0x4E00 + vocabulary - 1))), lowercase=False)
    text = numbers.integers(0, tokenizer.size, 400)
    text[200:] = text[:200]  # contexts of words are kept if they come again
    experts: list[Expert] = [KneserNey.count(text, tokenizer.size, prior)]
    if words:
        kinds = np.resize(np.arange(4, dtype=np.uint8), tokenizer.size)
        experts += [Words.count(text, tokenizer.size, kinds), Long.count(text, tokenizer.size)]
    spec = NetworkSpec(
        "linear",
        tokenizer.size,
        units,
        units,
        layers=2,
        expansion=expansion,
        prior=prior,
        experts=tuple(each.name for each in experts[1:]),
    )
    made = Bundle(
        spec,
        tokenizer,
        {name: numbers.normal(0, 0.5, size).astype(np.float32) for name, size in spec.shapes().items()},
        manifest_of(spec),
        tuple(experts),
    )
    bundle.write(path, made)


def reseal(folder: Path) -> None:
    """Make the manifest agree with the files, as somebody hostile would."""
    path = folder / bundle_files.MANIFEST
    data = json.loads(path.read_text(encoding="utf-8"))
    data["files"] = {
        file.name: {"sha256": atomic.sha256(file), "bytes": file.stat().st_size}
        for file in sorted(folder.iterdir())
        if file.name != bundle_files.MANIFEST
    }
    try:
        spec = NetworkSpec(**json.loads((folder / bundle_files.SPEC).read_text(encoding="utf-8")))
        data["parameters"], data["vocabulary"] = spec.parameters, spec.vocabulary
    except (TextgenError, TypeError, ValueError):
        pass  # the spec itself will be refused
    path.write_text(json.dumps(data), encoding="utf-8")


class Mutator:
    """Changes a bundle in one of many ways."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._numbers = np.random.default_rng(seed)

    def mutate(self, folder: Path, shape: Shape) -> None:
        """Change one or two things, and reseal it."""
        ways: list[Callable[[Path], None]] = [
            *(self.counts, self.counts, self.weights, self.spec, self.bits),
            lambda folder: self.foreign_counts(folder, shape[0], shape[2]),
        ]
        for way in self._draw.sample(ways, self._draw.randint(1, 2)):
            try:
                way(folder)
            except (TypeError, ValueError, OverflowError, safetensors.SafetensorError):
                continue  # what the first one left cannot be taken apart any more
        reseal(folder)

    def bits(self, folder: Path) -> None:
        """Flip some bits of a file."""
        path = folder / self._draw.choice(
            (bundle_files.COUNTS, bundle_files.WEIGHTS, bundle_files.TOKENIZER, bundle_files.SPEC)
        )
        data = bytearray(path.read_bytes())
        for _ in range(self._draw.randint(1, 8)):
            data[self._draw.randrange(len(data))] ^= 1 << self._draw.randrange(8)
        path.write_bytes(bytes(data))

    def spec(self, folder: Path) -> None:
        """Let the network be another one than the weights are for."""
        path = folder / bundle_files.SPEC
        data = json.loads(path.read_text(encoding="utf-8"))
        sizes = ("prior", "expansion", "layers", "units", "embedding", "vocabulary")
        name = self._draw.choice((*sizes, "experts"))
        values: tuple[object, ...] = (0, 1, 2, 3, 6, 7, -1, 24, 25, 2**31, 2**63, True, 1.5, None)
        if name == "experts":
            values = ([], ["words"], ["words", "words"], ["characters"], "words", [1], None, 3)
        data[name] = self._draw.choice(values)
        path.write_text(json.dumps(data), encoding="utf-8")

    def weights(self, folder: Path) -> None:
        """Fill arrays with extreme numbers."""
        arrays = self._load(folder / bundle_files.WEIGHTS)
        for _ in range(self._draw.randint(1, 3)):
            arrays[self._draw.choice(list(arrays))][...] = self._draw.choice(
                (0.0, -0.0, 3.4e38, -3.4e38, 1e-45, 1e20)
            )
        (folder / bundle_files.WEIGHTS).write_bytes(safetensors.numpy.save(arrays))

    def counts(self, folder: Path) -> None:
        """Change n-gram tables: values, kinds, lengths, and sums that stay right."""
        arrays = self._load(folder / bundle_files.COUNTS)
        for _ in range(self._draw.randint(1, 4)):
            name = self._draw.choice(list(arrays))
            if name.startswith("words.") and arrays[name].dtype == np.uint8 and self._draw.random() < 0.8:
                arrays[name] = self._repacked(name, arrays[name])
            else:
                arrays[name] = self._table(name, arrays[name])
        (folder / bundle_files.COUNTS).write_bytes(safetensors.numpy.save(arrays))

    def foreign_counts(self, folder: Path, vocabulary: int, prior: int) -> None:
        """Put in tables that are sound by themselves but come from no text: no context hangs together."""
        draw, contexts = self._draw, 1
        arrays = {
            name: array
            for name, array in self._load(folder / bundle_files.COUNTS).items()
            if name.startswith("words.")
        }
        for order in range(1, prior + 1):
            beneath = [draw.randint(1, min(vocabulary, 6)) for _ in range(contexts)]
            tokens = np.concatenate(
                [np.sort(self._numbers.choice(vocabulary, size, replace=False)) for size in beneath]
            )
            arrays[f"tokens{order}"] = tokens.astype(np.uint16 if vocabulary > 256 else np.uint8)
            kind = draw.choice((np.uint8, np.uint32))
            arrays[f"counts{order}"] = self._numbers.choice(np.array([1, 2, 3, 4, 255]), len(tokens)).astype(
                kind
            )
            if draw.random() < 0.2:
                arrays[f"counts{order}"] = np.full(len(tokens), 2**32 - 1, np.uint32)
            arrays[f"beneath{order}"] = np.array(beneath, np.uint8)
            contexts = len(tokens)
        (folder / bundle_files.COUNTS).write_bytes(safetensors.numpy.save(arrays))

    def _repacked(self, name: str, packed: np.ndarray) -> np.ndarray:
        """Change the numbers in a deflated table."""
        try:
            plain = zlib.decompress(packed[1:].tobytes())
            table = self._table(name, np.frombuffer(plain, f"<u{packed[0]}"))
        except (IndexError, TypeError, ValueError, zlib.error):
            return packed[:-1]
        return np.frombuffer(bytes([table.itemsize]) + zlib.compress(table.tobytes()), np.uint8)

    def _table(self, name: str, table: np.ndarray) -> np.ndarray:
        draw, table = self._draw, table.copy()
        most = np.iinfo(table.dtype).max if table.dtype.kind in "iu" else 1
        at = draw.randrange(len(table)) if table.ndim == 1 and len(table) else None
        match draw.randrange(11):
            case 0 if at is not None:
                table[at] = draw.choice((0, 1, 2, most))
            case 1:
                return table.astype(draw.choice((np.uint8, np.uint16, np.uint32, np.int64, np.float32)))
            case 2:
                return table[:-1]
            case 3:
                return np.append(table, table[-1:])
            case 4:
                table[...] = draw.choice((0, 1, most))
            case 5:
                self._numbers.shuffle(table)
            case 6 if at is not None and "beneath" in name and table[at] > 1:
                table[at] -= 1  # the sum stays
                table[draw.randrange(len(table))] += 1
            case 7 if at is not None and "beneath" in name:
                table = table.astype(np.uint32)  # the sum wraps around
                table[at] = 2**32 - 1
            case 8:
                return table.reshape(1, -1)
            case 9:
                return np.zeros(0, table.dtype)
            case 10 if "counts" in name:
                return table.astype(np.uint32) * np.uint32(draw.choice((1, 2**16, 2**31)))
        return table

    def _load(self, path: Path) -> dict[str, np.ndarray]:
        return {name: array.copy() for name, array in safetensors.numpy.load(path.read_bytes()).items()}


def write_text(folder: Path, seed: int) -> None:
    """Load a model and use it in several ways.

    Raises:
        TextgenError: it is refused.
    """
    model = TextModel.load(folder)
    for count, temperature, top_p in _REQUESTS:
        model.generate("", length=20, temperature=temperature, top_p=top_p, count=count, random_seed=seed)
    model.next_token(model.tokenizer.name_of(1) * 3)
    model.log_probabilities("".join(map(model.tokenizer.name_of, range(1, model.tokenizer.size))) * 2)


def _keep_apart() -> None:
    """Give each array of a file memory of its own: past the end of one there shall not be the next."""
    load = safetensors.numpy.load

    def loaded(data: bytes) -> dict[str, np.ndarray]:
        return {name: array.copy() for name, array in load(data).items()}

    safetensors.numpy.load = loaded


def main(folder: Path, library_folder: Path, count: int, seed: int) -> dict[str, object]:
    """Mutate bundles, read them with the library of a folder, and count what came."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    # The library is looked for beside this file.
    for module in (compiled_step, compiled_mixing):
        module.__file__ = str(library_folder / "any.py")
        code = module.library()
        assert code is not None
        assert Path(code._name).parent == library_folder
    _keep_apart()
    for number, shape in enumerate(SHAPES):
        write_base(folder / f"base{number}", shape)
    draw, mutator = random.Random(seed), Mutator(seed)

    def cases() -> Iterator[Callable[[], None]]:
        for number in range(count):
            which, case = draw.randrange(len(SHAPES)), folder / "case"
            shutil.copytree(folder / f"base{which}", case)
            mutator.mutate(case, SHAPES[which])
            yield partial(write_text, case, number)
            shutil.rmtree(case)

    return tally(cases())


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
