"""Inject every fault, or those named, print a line a figure as each ends; exit 1 where a bound is missed."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.faults import harness

_SHORTEST = 1.0


def main() -> int:
    """Run them in lanes and return the exit code."""
    known = harness.names()
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name}: {_first_line(name)}" for name in known) if "--help" in sys.argv else None,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"a fault: {', '.join(known)}")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes, with small numbers")
    # One more than the cores that most machines have at least: many faults wait.
    parser.add_argument("--lanes", type=int, default=min(3, 1 + (os.cpu_count() or 1)), help="faults at once")
    wanted = parser.parse_args()
    unknown = sorted(set(wanted.names) - set(known))
    if unknown:
        parser.error(f"no fault is called {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = wanted.names or harness.whole_run()
    modules = {name: harness.module_of(name) for name in chosen}
    # The longest first, so that no lane is left with a long one at the end; then those that need calm.
    ordered = sorted(chosen, key=lambda name: -getattr(modules[name], "MINUTES", _SHORTEST))
    calm = [name for name in ordered if getattr(modules[name], "ALONE", False)]
    beside = [name for name in ordered if name not in calm]
    waiting = [name for name in beside if getattr(modules[name], "WAITS", False)]
    busy = [name for name in beside if name not in waiting]
    begun = time.monotonic()
    print(f"{len(ordered)} faults; {os.cpu_count()} cores, {platform.machine()}", flush=True)
    missed: list[str] = []
    printing = threading.Lock()

    def inject(name: str) -> None:
        outcome = harness.inject(name, short=wanted.short)
        with printing:
            print("\n".join(outcome.lines()), flush=True)
            if outcome.missed:
                missed.append(name)

    in_lanes(inject, busy, waiting, wanted.lanes)
    for name in calm:
        inject(name)
    minutes = (time.monotonic() - begun) / 60
    print(f"{len(ordered)} faults in {minutes:.1f} minutes; missed: {', '.join(sorted(missed)) or 'none'}")
    return 1 if missed else 0


def in_lanes(inject: Callable[[str], None], busy: list[str], waiting: list[str], lanes: int) -> None:
    """Inject faults side by side: one lane begins with those that wait, the others with the busy ones.

    A lane whose own kind is used up goes on with the other. The lists are emptied.
    """
    taking = threading.Lock()

    def work(first: list[str], then: list[str]) -> None:
        while True:
            with taking:
                rest = first or then
                if not rest:
                    return
                name = rest.pop(0)
            inject(name)

    last = (waiting, busy) if lanes > 1 else (busy, waiting)
    with ThreadPoolExecutor(lanes) as pool:
        for lane in [pool.submit(work, *order) for order in [*[(busy, waiting)] * (lanes - 1), last]]:
            lane.result()


def _first_line(name: str) -> str:
    return (harness.module_of(name).__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
