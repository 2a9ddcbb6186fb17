"""The cells by their names. A new cell is entered here and in `textgen.network.cells.keras_layers`."""

from __future__ import annotations

from textgen.network.cells.cell import Cell
from textgen.network.cells.gru import Gru
from textgen.network.cells.linear import Linear
from textgen.network.cells.lstm import Lstm

CELLS: dict[str, Cell] = {cell.name: cell for cell in (Linear(), Lstm(), Gru())}
DEFAULT_CELL = Linear.name
