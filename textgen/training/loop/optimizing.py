"""The optimizer, its learning rate over time, and whether the training is compiled."""

from __future__ import annotations

import math

import keras

from textgen.network.cells.registry import CELLS
from textgen.settings.training import TrainingSettings
from textgen.training import backend

_WARM_UP = 0.03
_LOWEST = 0.05
_AVERAGED_STEPS = 50.0
_AVERAGED_SHARE = 0.2
_SHORTEST_COMPILED_S = 15.0
# The time that XLA costs once and saves with each step, measured on two cores: a step of 16 units and
# 8 x 64 tokens took 8 ms instead of 14, one of 64 units and 16 x 64 tokens 8 ms instead of 36.
_COMPILING_S = 5.0
_SAVED_A_STEP_S = 5e-3
_SAVED_AN_OPERATION_S = 1e-10


def compile_model(model: keras.Model, settings: TrainingSettings, *, parameters: int, steps: int) -> None:
    """Compile a Keras model and create its optimizer's variables.

    Args:
        model: takes tokens and returns logits.
        settings: of the training.
        parameters: number of the network's weights.
        steps: number of batches in all epochs.
    """
    compiled = worth_compiling(settings, parameters=parameters, steps=steps)
    model.compile(
        optimizer=optimizer_of(settings, averaged=averaged_steps(steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=backend.jit_compile(worth_it=compiled),
    )
    model.optimizer.build(model.trainable_variables)


def cosine(fraction: float) -> float:
    """Return the factor of the learning rate, 0 to 1: a short warm-up, then cosine decay.

    The warm-up gives the optimizer's averages time to settle. The decay to a twentieth reaches a lower loss
    than a longer training at the full rate (Loshchilov and Hutter 2017).

    Args:
        fraction: share of the training that is done, 0 to 1.
    """
    rise = min(1.0, (fraction + 1e-3) / _WARM_UP)
    return rise * (_LOWEST + (1 - _LOWEST) * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0))))


def averaged_steps(steps: int) -> float:
    """Return over how many steps the weights are averaged: the last fifth of a training, or fewer.

    One step moves the weights of a small corpus far beyond what it teaches. Their average (Polyak and
    Juditsky 1992) predicts a little better than each of them, by 0.001 to 0.002 nats on plays.

    Args:
        steps: number of batches in all epochs.
    """
    return max(1.0, min(_AVERAGED_STEPS, _AVERAGED_SHARE * steps))


def optimizer_of(settings: TrainingSettings, *, averaged: float = 1.0) -> keras.optimizers.Optimizer:
    """Return a new optimizer.

    Args:
        settings: of the training.
        averaged: over how many steps AdamW averages the weights, beside them; 1 for no average.
    """
    rate = settings.learning_rate
    if settings.optimizer == "adamw":
        # Clipped, because the gradient through a long carried state is sometimes very large.
        return keras.optimizers.AdamW(
            rate,
            weight_decay=0.01,
            beta_2=0.99,
            global_clipnorm=1.0,
            use_ema=averaged > 1,
            ema_momentum=1 - 1 / averaged,
        )
    kinds = {"rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    return kinds[settings.optimizer](rate)


def worth_compiling(settings: TrainingSettings, *, parameters: int, steps: int) -> bool:
    """Return whether compiling with XLA saves more time than it takes.

    It makes a step of the linear cell two to four times as fast, and a step of a Keras LSTM no faster. The
    answer depends only on the settings and the corpus, so a resumed training computes exactly as before.

    Args:
        settings: of the training.
        parameters: number of the network's weights.
        steps: number of batches in all epochs.
    """
    if not CELLS[settings.cell].gains_from_xla:
        return False
    if settings.time_limit is not None and settings.time_limit < _SHORTEST_COMPILED_S:
        return False
    operations = 6 * parameters * settings.batch_size * settings.seq_length
    return steps * (_SAVED_A_STEP_S + operations * _SAVED_AN_OPERATION_S) > _COMPILING_S
