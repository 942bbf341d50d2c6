"""Processes that a test run has started and that outlive it, with their ports and directories.

Each process that a run starts inherits the run's identity in its environment, which the system
shows as long as the process lives. The process counts as left when that run has ended.
"""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from poolspec.folders import LOCK, PREFIX
from poolspec.processes import RUN, has_ended, mark, runs

_PROCESSES = Path("/proc")
_LISTENS = "0A"
_END_SECONDS = 5.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class LeftProcess:
    """A process of a run that has ended."""

    pid: int
    start: str
    """The mark of its start: the process id may be used again."""
    run: str
    command: str
    ports: tuple[int, ...] = ()
    """The TCP ports on which it listens."""
    directories: tuple[Path, ...] = ()
    """The directories whose locks it holds."""

    def __str__(self) -> str:
        return f"process {self.pid}: {self.command} (of the run {self.run.split('_')[1]})"

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return runs(self.pid, self.start)


def left_processes() -> tuple[LeftProcess, ...]:
    """Return the processes of this user that belong to ended runs; none where there is no /proc."""
    return tuple(_found(_numbers()))


def end(processes: Iterable[LeftProcess]) -> None:
    """Kill processes, and wait a short time until they have ended."""
    doomed = [one for one in processes if one.is_running]
    for one in doomed:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one.pid, signal.SIGKILL)
    deadline = time.monotonic() + _END_SECONDS
    while any(one.is_running for one in doomed) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _numbers() -> Iterator[int]:
    if _PROCESSES.is_dir():
        yield from (int(path.name) for path in _PROCESSES.iterdir() if path.name.isdigit())


def _found(numbers: Iterable[int]) -> Iterator[LeftProcess]:
    for pid in numbers:
        with suppress(OSError):  # it has ended, or belongs to another user
            start, run = mark(pid), _run_of(pid)
            if run and has_ended(run) and runs(pid, start):
                words = (_PROCESSES / str(pid) / "cmdline").read_bytes().split(b"\0")
                command = b" ".join(words).decode(errors="replace").strip()
                files = files_of(pid)
                locks = sorted(Path(name).parent for name in files if _is_lock(Path(name)))
                yield LeftProcess(pid, start, run, command, ports_of(pid, files), tuple(locks))


def _run_of(pid: int) -> str:
    head = f"{RUN}=".encode()
    for entry in (_PROCESSES / str(pid) / "environ").read_bytes().split(b"\0"):
        if entry.startswith(head):
            return entry.removeprefix(head).decode(errors="replace")
    return ""


def files_of(pid: int) -> set[str]:
    """Return what the descriptors of a process refer to."""
    files = set()
    for path in (_PROCESSES / str(pid) / "fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            files.add(str(path.readlink()))
    return files


def _is_lock(file: Path) -> bool:
    return file.name == LOCK and file.parent.name.startswith(PREFIX)


def ports_of(pid: int, files: set[str]) -> tuple[int, ...]:
    """Return the TCP ports on which a process listens that has these files."""
    ports = {
        int(fields[1].rpartition(":")[2], 16)
        for table in ("tcp", "tcp6")
        for fields in _rows(_PROCESSES / str(pid) / "net" / table)
        if fields[3] == _LISTENS and f"socket:[{fields[9]}]" in files
    }
    return tuple(sorted(ports))


def _rows(table: Path) -> list[list[str]]:
    with suppress(OSError):  # no such protocol
        return [line.split() for line in table.read_text().splitlines()[1:]]
    return []
