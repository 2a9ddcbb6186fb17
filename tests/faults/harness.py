"""Finds the faults, runs each in a process of its own, and says how each ended."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.figures import Figure

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
LIMIT_S = 1_500
"""Seconds after which a fault that has not ended counts as missed, unless its file has another `LIMIT_S`."""
SHORT_LIMIT_S = 280
_NOT_FAULTS = {"harness"}


class Skipped(Exception):
    """The fault cannot be injected on this machine; the text is the reason."""


@dataclass
class Outcome:
    """How a fault ended.

    Attributes:
        name: of the module.
        figures: what was measured.
        skipped: why it was left out, or "".
        error: why it could not be measured to the end, or "".
        seconds: how long it took.
        processor_s: how much of a processor it took meanwhile, with its children.
    """

    name: str
    figures: list[Figure] = field(default_factory=list)
    skipped: str = ""
    error: str = ""
    seconds: float = 0.0
    processor_s: float = 0.0

    @property
    def missed(self) -> bool:
        """Whether a bound does not hold, or nothing is known of one."""
        return bool(self.error) or any(figure.met is False for figure in self.figures)

    def lines(self) -> list[str]:
        """What is printed: a line a figure."""
        if self.skipped:
            return [f"skipped  {self.name}: {self.skipped}"]
        lines = [
            f"{'MISSED ' if figure.met is False else 'met    '}  {self.name}: {figure.name}: "
            f"{figure.value:,.5g}{figure.unit and ' ' + figure.unit} ({figure.bound or 'no bound'})"
            for figure in self.figures
        ]
        if self.error:
            lines.append(f"MISSED   {self.name}: {self.error}")
        took = f"  [{self.seconds:.0f} s, {self.processor_s:.0f} s of processor]"
        return [*lines[:-1], lines[-1] + took] if lines else []


def names() -> list[str]:
    """Return the faults' names in alphabetical order, with those that must be named to run."""
    found = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith(("_", "test_"))}
    return sorted(found - _NOT_FAULTS)


def whole_run() -> list[str]:
    """Return the names of the faults that are injected where none is named."""
    return [name for name in names() if not getattr(module_of(name), "BY_NAME_ONLY", False)]


def module_of(name: str) -> ModuleType:
    """Import a fault."""
    return importlib.import_module(f"tests.faults.{name}")


def inject(name: str, *, short: bool) -> Outcome:
    """Run a fault in a process of its own, and end all that it leaves running."""
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"fault-{name}-"))
    told = folder / "told.jsonl"
    told.touch()
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.harness", name, str(folder), "short" if short else "long"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            # Children stay in its session unless they leave it themselves, as the bot's own do.
            start_new_session=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        error = ""
        try:
            process.wait(SHORT_LIMIT_S if short else getattr(module_of(name), "LIMIT_S", LIMIT_S))
        except subprocess.TimeoutExpired:
            error = "it did not end in time"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    outcome = Outcome(name, error=error, seconds=time.monotonic() - begun)
    for line in told.read_text(encoding="utf-8").splitlines():
        match json.loads(line):
            case {"figure": figure}:
                outcome.figures.append(Figure(*figure))
            case {"skipped": reason}:
                outcome.skipped = reason
            case {"error": reason}:
                outcome.error = reason
            case {"processor_s": seconds}:
                outcome.processor_s = seconds
    if not outcome.skipped and not outcome.error and process.returncode:
        outcome.error = f"it ended with {process.returncode}"
    if not outcome.skipped and not outcome.error and not outcome.figures:
        outcome.error = "it measured nothing"
    if outcome.missed:
        words = (folder / "said.txt").read_text(encoding="utf-8", errors="replace").strip()
        outcome.error = f"{outcome.error or 'a bound does not hold'}\n{words[-3000:]}".strip()
    shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _run_here(name: str, folder: Path, *, short: bool) -> int:
    """Run a fault in this process; tell of it line by line in `told.jsonl`."""
    work = folder / "work"
    work.mkdir()
    # Whatever it starts makes its temporary files where they are removed.
    os.environ["TMPDIR"] = tempfile.tempdir = str(work)
    with (folder / "told.jsonl").open("a", encoding="utf-8", buffering=1) as told:

        def tell(**what: object) -> None:
            told.write(json.dumps(what) + "\n")

        try:
            module = module_of(name)
            needs: tuple[Callable[[], None], ...] = getattr(module, "NEEDS", ())
            for need in needs:
                need()
            own = work / "fault"
            own.mkdir()
            for figure in module.run(own, short=short):
                tell(figure=figure)
        except Skipped as reason:
            tell(skipped=str(reason))
        except BaseException as error:  # noqa: BLE001 -- it is told to whoever started this process
            traceback.print_exc()
            tell(error=f"{type(error).__name__}: {error}"[:500])
            return 1
        finally:
            used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
            tell(processor_s=sum(usage.ru_utime + usage.ru_stime for usage in used))
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    # The copy that modules import is the one whose `Skipped` they raise.
    from tests.faults import harness

    sys.exit(harness._run_here(sys.argv[1], Path(sys.argv[2]), short=sys.argv[3] == "short"))


def told_by_child(module: str, folder: Path, *, short: bool, under: tuple[str, ...] = ()) -> Any:
    """Run a fault's module in a process of its own, and return what its last line of JSON says.

    Args:
        module: its name in this folder.
        folder: an empty folder for the child.
        short: whether it is the short form.
        under: a command, with its options, that runs the child.
    """
    done = subprocess.run(
        [*under, sys.executable, "-m", f"tests.faults.{module}", str(folder), "short" if short else "long"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout[-2000:], done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])
