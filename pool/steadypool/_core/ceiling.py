"""A pool's record that its server is full, as a plain state machine.

A full server refuses connects and serves its open connections. While a connection of the pool may
return, acquires wait for it in the queue, and one of them tries a connect at intervals:

    none ── a connect is refused ──► set until a moment
    set ── the moment has passed ──► one connect is admitted; the next moment is later
    set ── a connect succeeded, or a connection was closed ──► one connect is admitted at once
    set ── a connect succeeded and nothing waits ──► none
    set ── the moment has passed, a connection becomes idle ──► none

The pool has no thread that could wait for the moment. Instead one waiter, the `watcher`, wakes at
the moment and serves the queue. When it leaves the queue, another waiter becomes the watcher: it
wakes once, to wait again until the moment at most.
"""

import math
from collections import deque

from steadypool._core.entries import AWAKE, WAIT, AcquireRequest

_FIRST_DELAY = 0.1
"""Seconds from a refusal to the next connect; doubled each time."""
_LONGEST_DELAY = 0.5


class Ceiling:
    """The time until which a full server gets no connect. The caller holds the pool's lock."""

    __slots__ = ("_delay", "is_set", "until", "watcher")

    def __init__(self) -> None:
        self._delay = _FIRST_DELAY
        self.is_set = False
        """Whether the server was full at the last connect that matters."""
        self.until = -math.inf
        """Until then no request connects while a connection may return; -inf: not full."""
        self.watcher: AcquireRequest | None = None
        """The waiter whose wait ends at that time or earlier."""

    def refused(self, now: float) -> None:
        """Note that a connect was refused by a full server."""
        self.until = now + self._delay
        self.is_set = True

    def admitted(self, now: float) -> None:
        """Note that a connect begins; the next one waits for its end, but not for long."""
        if self.is_set:
            self.until = now + self._delay
            self._delay = min(2 * self._delay, _LONGEST_DELAY)

    def may_have_room(self, now: float) -> None:
        """Note that the server has room for one connection more: let one connect be tried now."""
        if self.is_set:
            self.until = now

    def lift(self) -> None:
        """Forget the ceiling: the server is not full, or it no longer matters."""
        self.is_set = False
        self.until = -math.inf
        self._delay = _FIRST_DELAY
        self.watcher = None

    def succeeded(self, now: float, waiters: bool) -> None:
        """Note that a connect succeeded; while `waiters` wait, the next ones follow one by one."""
        if self.is_set:
            if waiters:
                self._delay = _FIRST_DELAY
                self.until = now
            else:
                self.lift()

    def looks_again(self, request: AcquireRequest, now: float) -> None:
        """Note that a waiter is awake: if its watch has ended, it is no longer the watcher."""
        if request is self.watcher and now >= request.watch:
            self.watcher = None
        if request is not self.watcher:
            request.watch = math.inf

    def keep_watch(self, waiters: deque[AcquireRequest]) -> None:
        """Make sure that the wait of one of these waiters ends in time.

        The last one becomes the watcher, because it stays in the queue for longest.
        """
        watcher = self.watcher
        if watcher is not None and watcher.step is WAIT and watcher.watch <= self.until:
            return
        request = waiters[-1]
        request.watch = self.until
        self.watcher = request
        waiter = request.waiter
        request.waiter = AWAKE
        waiter.wake()
