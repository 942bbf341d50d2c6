"""Interruption points of threads: where a thread may block, or has just left a lock.

The lab finds them from outside, with Python's profiler hook (`sys.setprofile`), by the C functions
that a thread calls: to connect, send or receive, to take a lock or wait for it, to poll, to sleep.
So it need not know the pool or its driver. At the chosen point it raises an exception.

A `with` block on a lock shows only its end, because entering it calls no C function. Its point is
where the thread has just left the lock, where Python also checks for signals. The functions that a
pool calls under its lock to take a connection back are points too; see `releasing`. A virtual lock
(`poolspec.virtual`) has the same points: the wait on its clock, and the end of its block.

Each point interrupts once. It does not disturb what the thread then does to recover.
"""

import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Hashable
from types import FrameType
from typing import Any

from poolspec.interruption.releasing import Releasing
from poolspec.invariants.causes import StruckError, causes
from poolspec.invariants.defects import Defect, Finding, broken
from poolspec.vocabulary import ErrorKind, Interruption

__tracebackhide__ = True  # a failure is shown where the test failed

MOST = 1000
"""The number of points from which a block counts as endless."""

_LOCK = type(threading.Lock())
_LOCKS = (_LOCK, type(threading.RLock()))
_NOT_OF_A_POOL = frozenset({"poolspec", "importlib"})
_VIRTUAL = "poolspec.virtual."
_POLL = type(select.poll())
_ON_SOCKETS = frozenset({"accept", "connect", "recv", "recv_into", "recvfrom", "send", "sendall"})
_ON_TLS = frozenset({"do_handshake", "read", "write"})
_FUNCTIONS = (select.select, time.sleep)
_BOOKKEEPING = frozenset({"_is_owned", "_acquire_restore"})
"""Parts of `threading.Condition` that take its lock: an interrupt there is Python's problem."""
_NAMES = {Interruption.INTERRUPT: "an interrupt", Interruption.TIMEOUT: "a timeout"}
_SHOWN = 4
"""How many of the calls that led to a point are named."""


class Interrupt(KeyboardInterrupt):
    """The exception that interrupts a thread."""


class Point:
    """A `with` block that is interrupted at its n-th point (from 1), if it has that many.

    `clock` names the module of the test's clock, which both the pool and the lab use: the lab's own
    waits there are not interrupted. `may_recover`: the pool may recover from a timeout.
    """

    def __init__(
        self,
        number: int,
        by: Interruption,
        kind_of: Callable[[BaseException], ErrorKind | None],
        clock: str = "",
        *,
        may_recover: bool = False,
    ) -> None:
        self._number = number
        self._by = by
        self._kind_of = kind_of
        self._clock = clock
        self._may_recover = may_recover
        self._struck: StruckError | None = None
        self.releasing: Releasing | None = None
        """Finds the points inside a release of the pool."""
        self._points = 0
        self._inside: tuple[FrameType, str] | None = None
        self.where = ""
        """The point at which it was interrupted; empty if it was not."""

    def __enter__(self) -> None:
        self._outer = sys.getprofile()
        sys.setprofile(self._look)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        sys.setprofile(self._outer)
        self._inside = None
        return bool(self.where) and self._may_leave(error)

    def _look(self, frame: FrameType, event: str, call: Any) -> None:
        """Take a call from the interpreter."""
        if event == "c_call" and blocks(frame, call, self._by):
            # A thread interrupted as it takes a free lock may never release it: a limit of Python.
            self._inside = None if is_free_lock(call) else (frame, call.__name__)
            self._pass(f"before {call_path(frame, call)}")
        elif self._by is not Interruption.INTERRUPT:
            return
        elif event == "call":
            if self.releasing is not None and self.releasing.is_inside(frame):
                self._pass(f"at the beginning of {call_path(frame)}")
        elif event == "c_return":
            if self._inside == (frame, call.__name__):
                self._inside = None
                self._pass(f"after {call_path(frame, call)}")
            elif is_end_of_lock(frame, call, self._clock):
                self._pass(f"after {call_path(frame, call)}")

    def _pass(self, where: str) -> None:
        self._points += 1
        if self._points == self._number:
            self.where = where
            if self._by is Interruption.INTERRUPT:
                raise Interrupt(where)
            self._struck = StruckError("timed out, as the test asked")
            raise self._struck

    def _may_leave(self, error: BaseException | None) -> bool:
        """Return whether the block ended as an interrupted one may.

        An interrupt must leave it unchanged. A pool may turn a timeout into one of its own errors.
        """
        if error is None:
            if not self._may_be_silent():
                text = f"{_NAMES[self._by]} was swallowed: {self.where}"
                broken([Finding(Defect.SWALLOWED_INTERRUPT, text)])
            return True
        if self._struck is None:
            return isinstance(error, Interrupt)
        return self._struck in causes(error) and self._kind_of(error) is not None

    def _may_be_silent(self) -> bool:
        """Return whether a step has seen the timeout, or none needs to."""
        return self._struck is not None and (self._may_recover or self._struck.is_expected)


def blocks(frame: FrameType, call: Any, by: Interruption) -> bool:
    """Return whether a thread may block in this C function, and can be interrupted there."""
    owner, name = getattr(call, "__self__", None), call.__name__
    if isinstance(owner, socket.socket):
        return name in _ON_SOCKETS
    if type(owner).__name__ == "_SSLSocket":
        return name in _ON_TLS
    if by is Interruption.TIMEOUT:
        return False
    if isinstance(owner, _LOCK):
        is_waiting = frame.f_code.co_name not in _BOOKKEEPING and not is_virtual(frame)
        return name == "acquire" and is_waiting
    return (isinstance(owner, _POLL) and name == "poll") or call in _FUNCTIONS


def is_free_lock(call: Any) -> bool:
    """Return whether this is a call to take a lock that is free."""
    owner = getattr(call, "__self__", None)
    return isinstance(owner, _LOCK) and not owner.locked()


def is_end_of_lock(frame: FrameType, call: Any, clock: str) -> bool:
    """Return whether this C function ends a `with` block on a lock of the pool or of its clock."""
    if call.__name__ != "__exit__" or not isinstance(getattr(call, "__self__", None), _LOCKS):
        return False
    if module_of(frame) == "threading" and frame.f_code.co_name != "__exit__":
        return False  # internal to Python, not the end of a condition's block
    user: FrameType | None = frame
    while user is not None and is_virtual(user) and user.f_code.co_name == "__exit__":
        user = user.f_back
    while user is not None and module_of(user) in ("threading", clock):
        user = user.f_back
    return user is not None and module_of(user).partition(".")[0] not in _NOT_OF_A_POOL


def is_virtual(frame: FrameType) -> bool:
    """Return whether a frame runs a method of a virtual lock, or of what is made of one."""
    return module_of(frame).startswith(_VIRTUAL)


def module_of(frame: FrameType) -> str:
    """Return the name of the module whose code runs in a frame."""
    return str(frame.f_globals.get("__name__", ""))


def place_of(frame: FrameType | None, call: Any = None) -> Hashable:
    """Return what tells the places that `call_path` describes apart, in less time."""
    place: list[Hashable] = [] if call is None else [call.__name__]
    while frame is not None and len(place) <= _SHOWN:
        place.append(id(frame.f_code))
        frame = frame.f_back
    return call is None, *place


def call_path(frame: FrameType | None, call: Any = None) -> str:
    """Return a point in words: the C function called, if any, and the functions around it."""
    names = [] if call is None else [call.__name__]
    while frame is not None and len(names) <= _SHOWN:
        names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return " in ".join(names)
