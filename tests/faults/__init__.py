"""Faults that are injected into the real thing, each with a figure and a bound: `make faults`.

    python -m tests.faults [NAME…] [--short] [--lanes N]

Each module of this folder is a fault, except for the tests, `harness` and the helpers in `tools/`. It has:

    \"\"\"What is done to whom, and what must hold: the first line is what `--help` shows.\"\"\"

    MINUTES = 2.0  # about how long the long form takes; the longest begin first
    NEEDS = (needs.root, needs.strace)  # optional: functions that raise `Skipped` with the reason
    ALONE = True  # optional: it measures delays, so nothing else runs beside it
    WAITS = True  # optional: it leaves the processor idle half of the time or more
    BY_NAME_ONLY = True  # optional: the whole run leaves it out

    def run(folder: Path, *, short: bool) -> Iterator[Figure]:
        ...
        yield Figure("kill -9 at 100 points: weights that differ", differing, "", "≤ 0")

`folder` is empty, the fault's own, and is removed afterwards. `short` asks for seconds instead of minutes:
the same steps with small numbers, as `make test` runs them (`test_short_forms.py`). `Figure` is the
benchmarks' (name, value, unit, bound). `Skipped("no compiler here")`, raised anywhere, leaves the fault out.
An exception counts as missed, and so does a run beyond `harness.LIMIT_S`. Each fault runs in a process of its
own, so it may patch, load and exhaust what it likes; what it has started with a session of its own, it must
end by itself.
"""
