"""How the weights are moved: the optimizer, its rate over time, and whether compiling it all pays."""

from __future__ import annotations

import math

import keras

from textgen.settings import TrainingSettings

_WARM_UP = 0.03
_LOWEST = 0.05
_SHORTEST_COMPILED_S = 15.0


def cosine(fraction: float) -> float:
    """Return the share of the learning rate at a point of the training, 0 to 1.

    A short rise lets the optimizer's averages settle; the fall to a twentieth is worth more than a
    longer training at full rate (Loshchilov and Hutter 2017).
    """
    rise = min(1.0, (fraction + 1e-3) / _WARM_UP)
    return rise * (_LOWEST + (1 - _LOWEST) * 0.5 * (1 + math.cos(math.pi * min(fraction, 1.0))))


def optimizer_of(settings: TrainingSettings) -> keras.optimizers.Optimizer:
    """Return a new optimizer."""
    rate = settings.learning_rate
    if settings.optimizer == "adamw":
        # Clipped, because a gradient through a long carried state is now and then very large.
        return keras.optimizers.AdamW(rate, weight_decay=0.01, beta_2=0.99, global_clipnorm=1.0)
    kinds = {"rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    return kinds[settings.optimizer](rate)


def worth_compiling(settings: TrainingSettings) -> bool:
    """Return whether XLA pays: it makes the linear cell two to three times as fast, a Keras LSTM no faster.

    It takes some seconds, which a short training had better spend on learning.
    """
    long = settings.time_limit is None or settings.time_limit >= _SHORTEST_COMPILED_S
    return settings.cell == "linear" and long
