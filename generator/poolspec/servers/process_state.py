"""The state of a server process: how it ended, and whether it runs."""

import signal
from contextlib import suppress
from pathlib import Path


def reason(status: str) -> str:
    """Return an exit status in words: `signal SIGKILL`."""
    number = int(status) if status.lstrip("-").isdecimal() else 0
    if number >= 0:
        return f"status {status}" if number else status
    with suppress(ValueError):
        return f"signal {signal.Signals(-number).name}"
    return f"signal {-number}"


def runs_on(pid: int) -> bool:
    """Return whether a paused process has threads that have not stopped yet."""
    with suppress(OSError):  # the thread has ended
        for status in Path(f"/proc/{pid}/task").glob("*/stat"):
            if status.read_text(errors="replace").rpartition(")")[2].split()[0] != "T":
                return True
        return False
    return True
