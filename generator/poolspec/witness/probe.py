"""The probe: whether a thread of this process is blocked for sure, seen by another thread.

**One sample proves it on Linux.** The kernel writes `/proc/self/task/<id>/syscall` for a thread
that is off the processor in a blocked state, and only after it has checked that the thread stayed
in that state while it read the call's arguments. For every other thread, the file says `running`:
also for a thread that was woken and has not run yet, because waking a thread ends its blocked state
at once. So a thread whose lock was released shows `running` from that moment, on idle and on busy
processors alike.

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
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

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
_MOST_FILES = 256
"""Files that are open at once, at most; more threads are not seen."""


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


class SystemProbe:
    """Asks the kernel. Each thread's file stays open until it is no longer asked about."""

    def __init__(self) -> None:
        self._pread = ctypes.PyDLL(None).pread  # keeps the GIL
        self._pread.restype = ctypes.c_ssize_t
        self._pread.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_long)
        self._text = ctypes.create_string_buffer(_LONGEST)
        self._futex = str(_FUTEX[os.uname().machine]).encode()
        self._gil = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
        self._files: dict[int, int] = {}

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
            os.close(self._files.pop(native))
        for native in natives - self._files.keys():
            if len(self._files) >= _MOST_FILES:
                return
            try:
                path = f"/proc/self/task/{native}/syscall"
                self._files[native] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:  # the thread has ended
                continue

    def _waits_for_lock(self, native: int) -> bool:
        file = self._files.get(native)
        if file is None:
            return False
        read = self._pread(file, self._text, _LONGEST, 0)  # nothing once the thread has ended
        words = self._text.raw[: max(read, 0)].split()
        if len(words) < 2 or words[0] != self._futex:
            return False
        return not 0 <= int(words[1], 16) - self._gil < _RUNTIME


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
