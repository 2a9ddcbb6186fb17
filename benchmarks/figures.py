"""One measured figure beside its bound. How figures are taken stands in `textgen.benchmark`."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """A measured value beside what it ought to be.

    Attributes:
        name: what was measured.
        value: the measured number.
        unit: of the value and the bound.
        bound: as "≤ 0.5", or "" where there is none.
    """

    name: str
    value: float
    unit: str
    bound: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bound holds, or None without one."""
        if not self.bound:
            return None
        relation, limit = self.bound.split()
        return self.value <= float(limit) if relation == "≤" else self.value >= float(limit)
