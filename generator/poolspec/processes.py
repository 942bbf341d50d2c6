"""Processes of this machine, each known by its id and by the moment at which it started.

The system reuses process ids. On Linux the start is known, to a hundredth of a second; elsewhere a
mark is always `0000`, and the id alone decides.
"""

import functools
import os
import socket
import zlib
from contextlib import suppress
from pathlib import Path

RUN = "POOLSPEC_RUN"
"""Environment variable of every process that a test run starts: the identity of the run.

    <machine>_<process id>_<mark of its start>_<directory in which it was started>
"""
_UNKNOWN = "0000"


@functools.cache
def machine() -> str:
    """Return the identity of the scope of process ids: this machine since its start, or container.

    Two containers are two machines, even with one host name; a restarted machine is another one.
    """
    marks = [socket.gethostname()]
    with suppress(OSError):  # Linux has both, others have neither
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        marks.append(str(Path("/proc/self/ns/pid").readlink()))
    return f"{zlib.crc32(' '.join(marks).encode()):08x}"


def mark(pid: int) -> str:
    """Return four hexadecimal digits for the start of a process; `0000` if it is not known."""
    with suppress(OSError):
        return f"{zlib.crc32(_status(pid)[19].encode()) & 0xFFFF:04x}"
    return _UNKNOWN


def runs(pid: int, started: str = _UNKNOWN) -> bool:
    """Return whether a process with this id, and with this mark of its start if known, runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    with suppress(OSError):
        if _status(pid)[0] == "Z":  # it has ended, and its parent has not noticed
            return False
    return _UNKNOWN in (started, mark(pid)) or started == mark(pid)


def run_identity() -> str:
    """Return the identity of the run that this process controls."""
    return f"{machine()}_{os.getpid()}_{mark(os.getpid())}_{origin()}"


def origin(identity: str | None = None) -> str:
    """Return the directory in which a run was started; without an identity, this process's run.

    A run within a run has the directory of the outer one.
    """
    outer = os.environ.get(RUN, "") if identity is None else identity
    return outer.split("_", 3)[3] if outer.count("_") > 2 else str(Path.cwd())


def has_ended(identity: str) -> bool:
    """Return whether a run of this machine has ended; False for other machines' runs."""
    parts = identity.split("_", 3)
    if len(parts) < 4 or parts[0] != machine() or not parts[1].isdigit():
        return False
    return not runs(int(parts[1]), parts[2])


def _status(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third, the state, on. Raises OSError."""
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
