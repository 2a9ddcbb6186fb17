"""What the rest of the library asks of a cell, and the sizes that a cell is built in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from textgen.argument_checks import check_number
from textgen.errors import SettingsError
from textgen.experts.counting import HIGHEST_ORDER
from textgen.experts.expert import Expert
from textgen.experts.registry import FURTHER
from textgen.inference import Stepper

LARGEST_FED = 1024
"""Largest vocabulary whose n-gram probabilities are an input of the network."""

Recipe = Mapping[str, Any]
"""Values of `textgen.settings.training.TrainingSettings` by their names."""
Shapes = dict[str, tuple[int, ...]]
Weights = Mapping[str, npt.NDArray[np.float32]]

_BOUNDS = {
    "vocabulary": (2, 1_000_000),
    "embedding": (1, 4096),
    "units": (1, 8192),
    "layers": (1, 32),
    "expansion": (0, 16),
    "prior": (0, HIGHEST_ORDER),
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """The cell of a network by its name, and the network's sizes.

    Attributes:
        cell: kind of the recurrent layers, a key of `textgen.network.cells.registry.CELLS`.
        vocabulary: number of tokens.
        embedding: size of a token's vector.
        units: size of each recurrent layer's output.
        layers: number of recurrent layers.
        dropout: share of a layer's outputs that are zeroed in training.
        expansion: width of the multilayer perceptron in each block of the cell ``linear``, as a multiple of
            ``units``; 0 leaves it out.
        prior: length of the longest counted n-grams (`textgen.experts.kneser_ney`) whose probabilities the
            cell ``linear`` corrects; 0 for none.
        experts: names of further counted models (`textgen.experts.registry.FURTHER`) that the cell ``linear``
            mixes with these n-grams. With any, it also sees how far each count can be trusted.

    Raises:
        SettingsError: a value lies outside its bounds.
    """

    cell: str
    vocabulary: int
    embedding: int = 64
    units: int = 128
    layers: int = 2
    dropout: float = 0.2
    expansion: int = 0
    prior: int = 0
    experts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check every bound."""
        for name, (low, high) in _BOUNDS.items():
            check_number(name, getattr(self, name), low, high)
        if not isinstance(self.dropout, int | float) or not 0 <= self.dropout < 1:
            raise SettingsError(f"dropout is {self.dropout!r}; it must be at least 0 and less than 1")
        self._check_experts()

    @property
    def mixed(self) -> tuple[str, ...]:
        """The counted models that the network mixes, by the names that their parameters begin with."""
        return ("prior", *self.experts) if self.prior else ()

    @property
    def feeds_prior(self) -> bool:
        """Whether the counted probabilities are an input: for a large vocabulary that would cost too much."""
        return self.prior > 0 and self.vocabulary <= LARGEST_FED

    @property
    def confidences(self) -> int:
        """How many numbers of the experts say how far their counts can be trusted; 0 for a single one."""
        if not self.experts:
            return 0
        return 2 * (self.prior - 1) + sum(FURTHER[name].confidences for name in self.experts)

    def _check_experts(self) -> None:
        experts = self.experts
        if not isinstance(experts, list | tuple) or not all(isinstance(name, str) for name in experts):
            raise SettingsError(f"experts is {experts!r}; it must be a list of names")
        object.__setattr__(self, "experts", tuple(experts))
        unknown = set(experts) - set(FURTHER)
        if unknown or len(set(experts)) < len(experts):
            raise SettingsError(f"experts is {list(experts)}; it can hold {', '.join(FURTHER)}, once each")
        if experts and not self.prior:
            raise SettingsError(f"experts is {list(experts)}, but prior is 0; they stand beside n-grams")


class Cell(ABC):
    """One kind of recurrent layer.

    Attributes:
        name: as in ``--cell`` and in a bundle's ``spec.json``.
        recipe: the training settings that suit the cell; benchmarks/README.md says how they were found.
        recipes_by_preset: what a preset's size changes of the recipe.
        recipes_by_level: what a level changes of it.
        suits_classic: whether the preset ``classic``, the recipe of keras-text-generation, can take the cell.
        gains_from_xla: whether compiling a training step with XLA makes it faster.
    """

    name: ClassVar[str]
    recipe: ClassVar[Recipe]
    recipes_by_preset: ClassVar[Mapping[str, Recipe]] = {}
    recipes_by_level: ClassVar[Mapping[str, Recipe]] = {}
    suits_classic: ClassVar[bool] = False
    gains_from_xla: ClassVar[bool] = False

    @abstractmethod
    def check(self, sizes: Sizes) -> None:
        """Refuse sizes that the cell cannot be built in.

        Raises:
            SettingsError: two sizes do not fit together, or the cell has no use for one.
        """

    @abstractmethod
    def shapes(self, sizes: Sizes) -> Shapes:
        """Return the name and shape of each parameter, in the order of the network."""

    @abstractmethod
    def stepper(self, sizes: Sizes, weights: Weights, experts: Sequence[Expert]) -> Stepper:
        """Return the network for serving, by the fastest step that works on this machine.

        Args:
            sizes: of the network.
            weights: arrays under the names of `shapes`.
            experts: the counted models, as many as ``sizes.mixed`` names.
        """
