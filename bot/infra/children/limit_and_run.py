"""Runs a module with limits of memory and processor time.

`python -m bot.infra.children.limit_and_run MEMORY PROCESSOR MODULE ARGUMENT…`

A child calls this first, before it reads what people sent. It must import no other module of the project,
because imports count towards the limits.
"""

import contextlib
import os
import resource
import runpy
import sys

OUT_OF_MEMORY = 86
"""Exit code of a module that reached its limit of memory."""


def main() -> None:
    """Set the limits, in bytes and in seconds, then run the module."""
    memory_bytes, processor_s, module, *arguments = sys.argv[1:]
    # The kernel's signal at the soft limit ends the process; a hard limit a little later makes sure.
    limits = ((resource.RLIMIT_AS, memory_bytes, 0), (resource.RLIMIT_CPU, processor_s, 1))
    for kind, most, spare in (*limits, (resource.RLIMIT_CORE, "0", 0)):
        # A system may know a limit and refuse to set it (macOS does for memory).
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (int(most), int(most) + spare))
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
