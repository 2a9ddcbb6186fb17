"""What the cells' NumPy steps are made of: arithmetic, the `Stepper` protocol, and the n-grams' part."""

from textgen.inference.numerics import log_softmax
from textgen.inference.stepper import State, Stepper

__all__ = ["State", "Stepper", "log_softmax"]
