"""Charts of what a model has counted and learned, for `docs/explanations/`."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

import textgen
from textgen import bundle as bundles
from textgen.bundle import Bundle
from textgen.experts.expert import Expert
from textgen.experts.kneser_ney import KneserNey
from textgen.model import TextModel

mpl.use("agg")
from matplotlib import pyplot as plt

CONTEXT = "to b"
LINE = "the king is dead, and all his men are fled."
ORDERS = range(2, 7)
HELD_OUT = 20_000
# Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#767676"


def draw(plays: Path, pictures: Path) -> None:
    """Draw every chart.

    Args:
        plays: folder with the corpus and its model.
        pictures: where the charts go.
    """
    plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False})
    bundle = bundles.read(plays / "model")
    model = textgen.load(plays / "model")
    _longer_contexts(bundle, model, plays, pictures / "counts-by-length.png")
    _next_character(bundle, model, pictures / "next-character.png")
    _temperatures(model, pictures / "temperatures.png")
    _surprise(bundle, model, pictures / "surprise.png")


def _expected(expert: Expert, tokens: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the probabilities of all tokens after each token; the first ones follow a line's end."""
    start = np.full(expert.before - 1, tokens[0])
    windows = np.concatenate([start, tokens])[None]
    return np.asarray(expert.expect(windows.astype(np.int32)).probabilities[0], np.float64)


def _nats(expert: Expert, tokens: npt.NDArray[np.int64]) -> float:
    expected = _expected(expert, tokens)[:-1]
    return float(-np.log(expected[np.arange(len(tokens) - 1), tokens[1:]]).mean())


def _read(model: TextModel, text: str) -> npt.NDArray[np.int64]:
    return np.asarray(model.tokenizer.encode(text), np.int64)


def _longer_contexts(bundle: Bundle, model: TextModel, plays: Path, picture: Path) -> None:
    size = model.tokenizer.size
    learned = _read(model, (plays / "input.txt").read_text(encoding="utf-8").lower())
    held_out = _read(model, (plays / "validate.txt").read_text(encoding="utf-8").lower()[:HELD_OUT])
    losses: dict[str, float] = {}
    for order in ORDERS:
        losses[f"{order - 1} before"] = _nats(
            KneserNey.count(learned.astype(np.int32), size, order), held_out
        )
    words = next(expert for expert in bundle.experts if expert.name == "words")
    losses["words"] = _nats(words, held_out)
    text = (plays / "validate.txt").read_text(encoding="utf-8").lower()[:HELD_OUT]
    losses["all counts\nand network"] = float(-model.log_probabilities(text).mean())
    colours = [BLUE] * len(ORDERS) + [GREEN, ORANGE]
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    bars = axes.bar(list(losses), list(losses.values()), color=colours)
    axes.bar_label(bars, fmt="%.2f")
    axes.set_ylabel("loss, nats a character")
    axes.set_title("Longer contexts predict better, and the network adds to them")
    _save(figure, picture)


def _next_character(bundle: Bundle, model: TextModel, picture: Path) -> None:
    tokens = _read(model, f"\n{CONTEXT}")
    names = [model.tokenizer.name_of(token) for token in range(model.tokenizer.size)]
    found = {
        "counts of characters": (_expected(bundle.experts[0], tokens)[-1], BLUE),
        "counts of words": (_expected(bundle.experts[1], tokens)[-1], GREEN),
    }
    learned = model.next_token(CONTEXT)
    found["the whole model"] = (np.array([learned.get(name, 0.0) for name in names]), ORANGE)
    most = np.argsort(-found["the whole model"][0])[:7]
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    places = np.arange(len(most))
    for number, (label, (values, colour)) in enumerate(found.items()):
        axes.bar(places + (number - 1) * 0.27, values[most] * 100, 0.25, label=label, color=colour)
    axes.set_xticks(places, [{" ": "space", "\n": "line end"}.get(names[each], names[each]) for each in most])
    axes.set_ylabel("probability, %")
    axes.set_title(f"What follows “{CONTEXT}”?")
    axes.legend(frameon=False)
    _save(figure, picture)


def _temperatures(model: TextModel, picture: Path) -> None:
    learned = sorted(model.next_token("the ").items(), key=lambda pair: -pair[1])[:12]
    names = [{" ": "space", "\n": "line end"}.get(name, name) for name, _ in learned]
    logs = np.log([probability for _, probability in learned])
    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    places = np.arange(len(names))
    for number, (temperature, colour) in enumerate(((0.3, BLUE), (0.7, GREEN), (1.0, ORANGE))):
        heights = np.exp(logs / temperature)
        shares = heights / heights.sum() * 100
        axes.bar(places + (number - 1) * 0.27, shares, 0.25, label=f"temperature {temperature}", color=colour)
    axes.set_xticks(places, names)
    axes.set_ylabel("share of the draws, %")
    axes.set_title("The twelve most likely characters after “the ”")
    axes.legend(frameon=False)
    _save(figure, picture)


def _surprise(bundle: Bundle, model: TextModel, picture: Path) -> None:
    tokens = _read(model, f"\n{LINE}")
    counted = _expected(bundle.experts[0], tokens)[:-1]
    counts = -np.log(counted[np.arange(len(LINE)), tokens[1:]])
    whole = -model.log_probabilities(f"\n{LINE}")
    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    places = np.arange(len(LINE))
    axes.bar(places, counts, color=GREY, label=f"counts of characters: {counts.mean():.2f} nats")
    axes.bar(places, whole, width=0.45, color=ORANGE, label=f"the whole model: {whole.mean():.2f} nats")
    axes.set_xticks(places, [{" ": "␣"}.get(letter, letter) for letter in LINE], fontfamily="monospace")
    axes.set_ylabel("surprise, nats")
    axes.set_ylim(0, 5.5)  # room for the legend
    axes.set_title("The beginning of a word surprises, its end does not")
    axes.legend(frameon=False)
    _save(figure, picture)


def _save(figure: plt.Figure, picture: Path) -> None:
    # Without the version of the program in it, the same model gives the same file.
    figure.savefig(picture, dpi=100, metadata={"Software": None})
    plt.close(figure)
