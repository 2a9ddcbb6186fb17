"""Print every figure in one table, or only those of the named modules; exit 1 if a bound is missed."""

from __future__ import annotations

import os
import platform
import sys

# Set before NumPy is imported: a sampler has one thread, so these processes have one too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from rich.console import Console
from rich.table import Table

from benchmarks import (
    bot,
    corpora,
    growth,
    http,
    learning,
    library,
    load,
    reliability,
    statements,
    tuned,
    webpage,
)


def main() -> int:
    """Measure, print, and return the exit code."""
    table = Table(title=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    for column, side in (
        ("figure", "left"),
        ("measured", "right"),
        ("unit", "left"),
        ("bound", "left"),
        ("", "left"),
    ):
        table.add_column(column, justify=side)  # type: ignore[arg-type]
    missed = 0
    wanted = sys.argv[1:]
    for module in (
        library,
        learning,
        growth,
        tuned,
        corpora,
        reliability,
        statements,
        bot,
        load,
        http,
        webpage,
    ):
        if wanted and module.__name__.rpartition(".")[2] not in wanted:
            continue
        for figure in module.run():
            verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
            missed += verdict == "MISSED"
            value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.4g}"
            table.add_row(figure.name, value, figure.unit, figure.bound, verdict)
    Console(width=110).print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
