"""The probe: whether a thread of this process is blocked for sure, seen by another thread.

**Three reads prove it on Linux.** The kernel writes a system call and its arguments to
`/proc/self/task/<id>/syscall` for a thread that is off the processor in a blocked state; for every
other thread, also for one that was woken and waits for a processor, the file says `running`. One
state is in between: a thread that is being woken on another processor still shows its call. But
`/proc/self/task/<id>/stat` reports it as running. So a thread is blocked if it shows the call, then
the state sleeping, then the same call again: had it been woken before the first read, it would now
run, or wait in another call.

**A wait for the GIL is no wait of the pool.** A thread that waits for the GIL, or for one of the
locks inside it, is blocked in `futex` too. But these locks are parts of `_PyRuntime`, and Python's
own locks are allocated elsewhere. So the futex's address tells them apart.

**The samples of one look hold at one moment.** A look reads the files without releasing the GIL
(`ctypes.PyDLL`), so no other thread runs Python code between its samples. A thread that is blocked
in the look's first sample stays where it is in Python until the look ends: if its wait ends
meanwhile, it waits for the GIL. A look is short; if it took longer than the switch interval, Python
could interrupt it. So the caller also compares the generation of its calls before and after.

The counters of context switches would prove less. A wait for the GIL ends every
`sys.getswitchinterval()` and is counted, but only if the machine's timer is on time, and a virtual
machine's may be late. Two samples would be needed, at least one interval apart.

**Without that file** (macOS, Windows, some sandboxes) the probe has only the threads' Python
frames. A thread counts as blocked when the looks of `SILENT` seconds, at least `LOOKS` of them,
found it in one frame at one instruction. This is strong evidence and no proof: a thread may wait
for the GIL as long on a machine that is very busy.
"""

import ctypes
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NamedTuple, Protocol

from poolspec.lifecycle.frames import current_frames

SILENT = 0.25
"""Seconds for which a thread must not move where only frames can be read."""
LOOKS = 10
"""Looks in these seconds: in each, the looking thread had the GIL."""
_RUNTIME = 1 << 20
"""No version of Python has a larger `_PyRuntime`, in bytes."""
_FUTEX = {"x86_64": 202, "aarch64": 98}
_LONGEST = 256
"""Bytes of the file, at most."""
_MOST_THREADS = 256
"""Threads that are watched at once, at most; more are not seen."""


@dataclass(frozen=True, slots=True)
class ThreadId:
    """A thread as Python and the system number it."""

    ident: int
    native_id: int


class Probe(Protocol):
    """Finds blocked threads."""

    def watch(self, threads: Iterable[ThreadId]) -> None:
        """Prepare for looks at these threads, and forget all others. May give up the GIL."""

    def close(self) -> None:
        """Forget all threads."""

    def blocked(self, threads: Iterable[ThreadId]) -> frozenset[ThreadId]:
        """Return those watched threads that wait for a lock, each seen in this look."""


class _Files(NamedTuple):
    """The files of one thread, which are open."""

    call: int
    state: int


class SystemProbe:
    """Asks the kernel. Each thread's files stay open until it is no longer asked about."""

    def __init__(self) -> None:
        self._pread = ctypes.PyDLL(None).pread  # keeps the GIL
        self._pread.restype = ctypes.c_ssize_t
        self._pread.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_long)
        self._text = ctypes.create_string_buffer(_LONGEST)
        self._futex = str(_FUTEX[os.uname().machine]).encode()
        self._gil = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
        self._files: dict[int, _Files] = {}

    def blocked(self, threads: Iterable[ThreadId]) -> frozenset[ThreadId]:
        """Return those watched threads that wait for a lock other than the GIL."""
        return frozenset(one for one in threads if self._waits_for_lock(one.native_id))

    def close(self) -> None:
        """Close the threads' files."""
        self.watch(())

    def watch(self, threads: Iterable[ThreadId]) -> None:
        """Keep the files of these threads open, and no other. Opening gives up the GIL."""
        natives = {thread.native_id for thread in threads}
        for native in self._files.keys() - natives:
            for file in self._files.pop(native):
                os.close(file)
        for native in natives - self._files.keys():
            if len(self._files) >= _MOST_THREADS:
                return
            with suppress(OSError):  # the thread has ended
                self._files[native] = _opened(native)

    def _waits_for_lock(self, native: int) -> bool:
        files = self._files.get(native)
        if files is None:
            return False
        call = self._read(files.call)
        return self._is_lock(call) and self._sleeps(files) and self._read(files.call) == call

    def _is_lock(self, call: bytes) -> bool:
        words = call.split()
        if len(words) < 2 or words[0] != self._futex:
            return False
        return not 0 <= int(words[1], 16) - self._gil < _RUNTIME

    def _sleeps(self, files: _Files) -> bool:
        _, _, after_name = self._read(files.state).rpartition(b") ")
        return after_name[:1] == b"S"

    def _read(self, file: int) -> bytes:
        read = self._pread(file, self._text, _LONGEST, 0)  # nothing once the thread has ended
        return self._text.raw[: max(read, 0)]


def _opened(native: int) -> _Files:
    """Open the files of a thread; raises OSError if it has ended."""
    call = os.open(f"/proc/self/task/{native}/syscall", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _Files(call, os.open(f"/proc/self/task/{native}/stat", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        os.close(call)
        raise


class FrameProbe:
    """Compares frames, where the kernel reports nothing."""

    def __init__(
        self,
        frames: Callable[[], Mapping[int, FrameType]] = current_frames,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._frames = frames
        self._now = now
        self._still: dict[int, _Still] = {}

    def watch(self, threads: Iterable[ThreadId]) -> None:
        """Do nothing: frames can be read at any time."""

    def blocked(self, threads: Iterable[ThreadId]) -> frozenset[ThreadId]:
        """Return those threads that have not moved for a number of looks and some time."""
        frames, now = self._frames(), self._now()
        asked = [thread for thread in threads if thread.ident in frames]
        still = {thread: self._after(thread.ident, frames[thread.ident], now) for thread in asked}
        self._still = {thread.ident: seen for thread, seen in still.items()}
        return frozenset(
            thread
            for thread, seen in still.items()
            if seen.looks >= LOOKS and now - seen.since >= SILENT
        )

    def close(self) -> None:
        """Forget all threads."""
        self._still = {}

    def _after(self, ident: int, frame: FrameType, now: float) -> "_Still":
        seen, at = self._still.get(ident), (id(frame), frame.f_lasti)
        if seen is None or seen.at != at:
            return _Still(at, frame, now, 1)
        return _Still(at, frame, seen.since, seen.looks + 1)


@dataclass(frozen=True, slots=True)
class _Still:
    at: tuple[int, int]
    frame: FrameType
    """Kept, so that no other frame gets its identity."""
    since: float
    looks: int


def probe() -> SystemProbe | FrameProbe:
    """Return the probe for this system."""
    machine = os.uname().machine if hasattr(os, "uname") else ""
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    known = sys.platform == "linux" and machine in _FUTEX and has_gil
    return SystemProbe() if known and _kernel_reports() else FrameProbe()


def _kernel_reports() -> bool:
    try:
        return bool(Path("/proc/thread-self/syscall").read_bytes())
    except OSError:
        return False
