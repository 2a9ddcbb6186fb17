"""Figures of an installation: the library's base from its wheel, with what that wheel asks the registry for.

Run on its own: `python -m benchmarks.installation`. It needs the registry, and keeps nothing.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks.figures import Figure

ROOT = Path(__file__).parents[1]
STARTS = 9


def run() -> list[Figure]:
    """Build the wheel, install it into an empty environment, and start its command."""
    with tempfile.TemporaryDirectory(prefix="textgen-bench-") as folder:
        wheels, environment = Path(folder) / "wheels", Path(folder) / "environment"
        build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)]
        _pip(*build)
        (wheel,) = wheels.glob("*.whl")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        begun = time.monotonic()
        _pip("--python", str(environment / "bin" / "python"), "install", "--only-binary", ":all:", str(wheel))
        taken = time.monotonic() - begun
        size = sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file())
        command = [environment / "bin" / "textgen", "--help"]
        starts = [_seconds(command) for _ in range(STARTS)]
    return [
        Figure("installation: the library's base, on the disk", size / 1e6, "MB", "≤ 150"),
        Figure("installation: the library's base, from the registry", taken, "s", "≤ 20"),
        Figure("installation: `textgen --help`, median", statistics.median(starts), "s", "≤ 0.3"),
    ]


def _pip(*arguments: str) -> None:
    quiet = ["--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", *quiet, *arguments], check=True)


def _seconds(command: list[Path | str]) -> float:
    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def main() -> int:
    """Print the figures; exit 1 if a bound is missed. Seconds depend on network and load."""
    figures = run()
    for figure in figures:
        Console(width=110).print(f"{figure.name}: {figure.value:,.4g} {figure.unit} {figure.bound}")
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
