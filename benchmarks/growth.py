"""How training and sampling slow down as the network grows: each preset on the same text."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

from benchmarks.figures import Figure

PRESETS = ("tiny", "small", "medium", "large")

_MEASURE = """
import dataclasses, json, sys, time
import numpy as np
from textgen.experts import kneser_ney
from textgen.network.making import make_stepper
from textgen.settings.training import TrainingSettings
from textgen.training import backend

settings = TrainingSettings.from_flags(preset=sys.argv[1])
# Random text has no words.
spec = dataclasses.replace(settings.network(66), experts=())
text = np.minimum(np.random.default_rng(1).geometric(0.08, 400_000), 65)
counted = kneser_ney.KneserNey.count(text, 66)
backend.load()
import keras
from textgen.training import network
from textgen.training.loop.optimizing import optimizer_of

made = network.build(
    spec, settings.batch_size, settings.seq_length, 1, [counted], fresh_starts=settings.fresh_starts
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
made.model.compile(optimizer=optimizer_of(settings), loss=loss, jit_compile=True)
random = np.random.default_rng(1)
windows = text[: settings.batch_size * (made.before + settings.seq_length + 1)]
windows = windows.reshape(settings.batch_size, -1).astype(np.int32)
taken = []
for _ in range(25):
    begun = time.perf_counter()
    made.model.train_on_batch(*made.arrange(windows, random))
    taken.append(time.perf_counter() - begun)
stepper = make_stepper(spec, made.weights(), [counted])
state, tokens = stepper.initial_state(32), np.arange(32)
stepped = []
for _ in range(200):
    begun = time.perf_counter()
    stepper.step(tokens, state)
    stepped.append(time.perf_counter() - begun)
print(json.dumps({
    "parameters": spec.parameters,
    "trained": settings.batch_size * settings.seq_length / float(np.median(taken[5:])),
    "written": 32 / float(np.median(stepped[20:])),
}))
"""


def run() -> list[Figure]:
    """Measure each preset in a process of its own."""
    figures, found = [], []
    for preset in PRESETS:
        command = [sys.executable, "-c", _MEASURE, preset]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found.append(json.loads(told.splitlines()[-1]))
        figures += [
            Figure(f"preset {preset}: parameters", found[-1]["parameters"], ""),
            Figure(f"preset {preset}: trained", found[-1]["trained"], "characters/s"),
            Figure(f"preset {preset}: 32 streams, network alone", found[-1]["written"], "characters/s"),
        ]
    for (smaller, larger), name in zip(pairwise(found), PRESETS[1:], strict=True):
        grown = larger["parameters"] / smaller["parameters"]
        slower = smaller["trained"] / larger["trained"]
        figures.append(Figure(f"preset {name}: times slower for {grown:.1f} × the parameters", slower, "×"))
    return figures
