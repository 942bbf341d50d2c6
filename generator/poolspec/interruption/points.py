"""Cutting short what a thread does, at every point where it blocks, one after the other.

A thread is cut short by an exception that is raised where it is about to block, or where it has
just come back from it, as Ctrl-C does it. Where that is, is seen from outside, by watching which C
functions the thread calls (`sys.setprofile`): to connect, send or receive, to take a lock or wait
for it, to poll, to sleep. So nothing need be known of the pool, nor of its driver.

A `with` block on a lock is seen at its end only: how it takes the lock is no call of a C function.
So its point is where the lock has just been left, where Python looks for signals, too. What a pool
does under its lock to take a connection back has points as well; see `returning`.

Each cut strikes once; whatever the thread does then to put things right is not disturbed.
"""

import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from poolspec.interruption.releasing import Returning
from poolspec.invariants.causes import StruckError, causes
from poolspec.vocabulary import ErrorKind, Interruption

__tracebackhide__ = True  # a failure is shown where the test failed

MOST = 1000
"""Points from which on a block is taken to be endless."""

_LOCK = type(threading.Lock())
_LOCKS = (_LOCK, type(threading.RLock()))
_NOT_OF_A_POOL = frozenset({"poolspec", "importlib"})
_POLL = type(select.poll())
_ON_SOCKETS = frozenset({"accept", "connect", "recv", "recv_into", "recvfrom", "send", "sendall"})
_ON_TLS = frozenset({"do_handshake", "read", "write"})
_FUNCTIONS = (select.select, time.sleep)
_BOOKKEEPING = frozenset({"_is_owned", "_acquire_restore"})
"""Parts of `threading.Condition` that take its lock: a cut there strikes Python, not a pool."""
_NAMES = {Interruption.INTERRUPT: "an interrupt", Interruption.TIMEOUT: "a timeout"}
_SHOWN = 4
"""How many of the calls that led to a point are told."""


class Interrupt(KeyboardInterrupt):
    """What a thread is interrupted with."""


class Cut:
    """A `with` block that is cut short at its n-th point (from 1), if it has so many.

    `clock` names the module of the test's clock, which the lab uses as well as the pool: what the
    lab does there is not cut short. `may_recover`: the pool may make good for a timeout.
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
        self.returning: Returning | None = None
        """What knows where the pool is in the midst of a return, which has points of its own."""
        self._points = 0
        self._inside: tuple[FrameType, str] | None = None
        self.where = ""
        """The point at which it was cut short; empty if it was not."""

    def __enter__(self) -> None:
        self._outer = sys.getprofile()
        sys.setprofile(self._look)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        sys.setprofile(self._outer)
        self._inside = None
        return bool(self.where) and self._is_as_it_must_be(error)

    def _look(self, frame: FrameType, event: str, call: Any) -> None:
        """Be told of a call, by the interpreter."""
        if event == "c_call" and blocks(frame, call, self._by):
            # Who is interrupted as he takes a free lock may never give it back: that is Python's.
            self._inside = None if is_free_lock(call) else (frame, call.__name__)
            self._pass(f"before {told(frame, call)}")
        elif self._by is not Interruption.INTERRUPT:
            return
        elif event == "call":
            if self.returning is not None and self.returning.is_amid(frame):
                self._pass(f"at the beginning of {told(frame)}")
        elif event == "c_return":
            if self._inside == (frame, call.__name__):
                self._inside = None
                self._pass(f"after {told(frame, call)}")
            elif is_end_of_lock(frame, call, self._clock):
                self._pass(f"after {told(frame, call)}")

    def _pass(self, where: str) -> None:
        self._points += 1
        if self._points == self._number:
            self.where = where
            if self._by is Interruption.INTERRUPT:
                raise Interrupt(where)
            self._struck = StruckError("timed out, for the test wants it so")
            raise self._struck

    def _is_as_it_must_be(self, error: BaseException | None) -> bool:
        """Whether what came out of the block is what a cut may make of it.

        An interrupt goes on as it is. Of a timeout a pool may make an error of its own.
        """
        if error is None:
            if not self._may_be_silent():
                raise AssertionError(f"{_NAMES[self._by]} was swallowed: {self.where}")
            return True
        if self._struck is None:
            return isinstance(error, Interrupt)
        return self._struck in causes(error) and self._kind_of(error) is not None

    def _may_be_silent(self) -> bool:
        """Whether a step has met the timeout, or none need."""
        return self._struck is not None and (self._may_recover or self._struck.is_expected)


def blocks(frame: FrameType, call: Any, by: Interruption) -> bool:
    """Whether a thread that calls this C function may block, and can be cut short there."""
    owner, name = getattr(call, "__self__", None), call.__name__
    if isinstance(owner, socket.socket):
        return name in _ON_SOCKETS
    if type(owner).__name__ == "_SSLSocket":
        return name in _ON_TLS
    if by is Interruption.TIMEOUT:
        return False
    if isinstance(owner, _LOCK):
        return name == "acquire" and frame.f_code.co_name not in _BOOKKEEPING
    return (isinstance(owner, _POLL) and name == "poll") or call in _FUNCTIONS


def is_free_lock(call: Any) -> bool:
    """Whether this is a call to take a lock that nobody holds."""
    owner = getattr(call, "__self__", None)
    return isinstance(owner, _LOCK) and not owner.locked()


def is_end_of_lock(frame: FrameType, call: Any, clock: str) -> bool:
    """Whether this C function ends a `with` block on a lock of the pool's, or of its clock's."""
    if call.__name__ != "__exit__" or not isinstance(getattr(call, "__self__", None), _LOCKS):
        return False
    if module_of(frame) == "threading" and frame.f_code.co_name != "__exit__":
        return False  # Python's own books, not the end of a condition's block
    user: FrameType | None = frame
    while user is not None and module_of(user) in ("threading", clock):
        user = user.f_back
    return user is not None and module_of(user).partition(".")[0] not in _NOT_OF_A_POOL


def module_of(frame: FrameType) -> str:
    """Return the name of the module whose code a frame runs."""
    return str(frame.f_globals.get("__name__", ""))


def told(frame: FrameType | None, call: Any = None) -> str:
    """Return a point in words: in a frame, at a call of a C function, if there is one."""
    names = [] if call is None else [call.__name__]
    while frame is not None and len(names) <= _SHOWN:
        names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return " in ".join(names)
