"""How much memory this process has taken."""

import resource
from pathlib import Path


def peak_bytes() -> int:
    """Return the largest resident size that this process has had since its program began, in bytes.

    On Linux `getrusage` counts what the process was before it began this program, so /proc is asked first.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
