"""The network in NumPy, for serving: starts in a fraction of a second and needs no Keras."""

from textgen.inference.making import make_stepper
from textgen.inference.numerics import log_softmax
from textgen.inference.stepper import State, Stepper

__all__ = ["State", "Stepper", "log_softmax", "make_stepper"]
