"""The event loop of every asyncio test: it notices rest, and its time can be virtual.

**Rest.** The loop is at rest when no callback is ready and no event has arrived, just before it
would block. It then calls `at_rest`, if that is set. At rest every task waits. In real time some
of them may wait for real work, such as a connect; `under_way` returns that work.

**Virtual time.** After `begin_virtual_time`, time passes only at rest, and only while no real work
is under way: it then goes to the loop's next timer at once. So `asyncio.timeout`, `wait_for`,
`sleep`, `call_later` and everything made of them is exact and takes no time. Timers for the same
time run in the order in which they were set. `at_rest` is called first; if it makes a callback
ready, time does not pass. If there is no timer either, no task can continue: the loop is stuck.

`poolspec.lab.event_loop.real_work` explains how the loop recognises real work: by the future that
is awaited, not by a period without events. The loop cannot see

* a protocol with its own futures, as in asyncpg, where it is used without the lab's driver: while a
  connection with such a protocol is open, the loop first waits a short time (`GRACE`) for an event;
* a thread that the program starts itself and that later calls `call_soon_threadsafe`, and a thread
  whose `to_thread` was cancelled;
* a reader that never ends, such as one that waits for notifications: its work is always under way.
  After `SILENCE` without an event, time passes as real time does, until the next event. So the
  timeouts of a driver on a silent connection still fire, and no timer fires early.
"""

import asyncio
import itertools
import math
import selectors
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVarTuple
from weakref import WeakSet

from poolspec.lab.event_loop.real_work import RealWork, RealWorks

START = 1000.0
"""The virtual time at its beginning. Not 0: no event loop's time is ever false."""
GRACE = 0.01
"""Real seconds to wait for an event of a protocol whose waits cannot be seen."""
SILENCE = 5.0
"""Real seconds for which real work may hold up virtual time without any event."""
LAST_GRACE = 0.1
"""Real seconds to wait for a thread that cannot be seen, before the loop is stuck."""

SAME = 1e-9
"""Seconds by which sums of times differ although they stand for the same time."""

Args = TypeVarTuple("Args")
Events = list[tuple[selectors.SelectorKey, int]]


class _Selector(selectors.DefaultSelector):
    """A selector that asks its loop before it blocks."""

    def __init__(self, block: Callable[[float | None], Events]) -> None:
        super().__init__()
        self._block = block

    def select(self, timeout: float | None = None) -> Events:
        """Return the events that arrive within `timeout` seconds."""
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        return self._block(timeout)

    def wait(self, timeout: float | None) -> Events:
        """Wait for events without asking."""
        return super().select(timeout)


class _Deadline(float):
    """The time of a timer. Of two that are the same, the one that was set first is less."""

    _numbers = itertools.count()

    def __init__(self, _: float) -> None:
        self._number = next(self._numbers)

    def __lt__(self, other: float) -> bool:
        if isinstance(other, _Deadline) and -SAME < self - other < SAME:
            return self._number < other._number
        return super().__lt__(other)

    __eq__ = float.__eq__
    __hash__ = float.__hash__


class LabLoop(asyncio.SelectorEventLoop):
    """An event loop that notices rest, and whose time can be virtual."""

    at_rest: Callable[[], object] | None = None
    """Called each time that the loop is at rest. It must not block, and sets no timers."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _clock_resolution: float
    _thread_id: int | None

    def __init__(self) -> None:
        self._now: float | None = None
        """The virtual time; None if time passes really."""
        self._ahead = 0.0
        """How far the loop's time is ahead of the machine's."""
        self._stuck: Callable[[list[str]], object] = lambda _: None
        self._is_silent = False
        self._works = RealWorks()
        self._unseen: WeakSet[asyncio.BaseTransport] = WeakSet()
        self._events = _Selector(self._before_blocking)
        super().__init__(self._events)

    def begin_virtual_time(self, stuck: Callable[[list[str]], object]) -> None:
        """Let time be virtual from now on. `stuck` gets the names of the tasks if all wait."""
        self._now, self._stuck = START, stuck

    def end_virtual_time(self) -> None:
        """Let time pass really from now on, for a teardown whose limits are in real seconds."""
        if self._now is not None:
            self._ahead, self._now = self._now - time.monotonic(), None

    def recover(self) -> None:
        """Mark the loop as not running: an alarm may have interrupted it at the end of its run."""
        asyncio._set_running_loop(None)
        self._thread_id = None

    def under_way(self) -> list[RealWork]:
        """Return the real work that something awaits."""
        return list(self._works.under_way())

    # --- of every event loop ---------------------------------------------------------------------

    def time(self) -> float:
        """Return the time in seconds."""
        return time.monotonic() + self._ahead if self._now is None else self._now

    def call_at(
        self,
        when: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer."""
        when = when if self._now is None else _Deadline(when)
        return super().call_at(when, callback, *args, context=context)

    def create_future(self) -> "asyncio.Future[Any]":
        """Make a future."""
        return self._works.future(self)

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        """Connect; note a connection whose protocol makes its own futures."""
        return self._noted(*await super().create_connection(*args, **options))

    async def create_unix_connection(self, *args: Any, **options: Any) -> Any:
        """Connect over a unix socket, as `create_connection` does over TCP."""
        return self._noted(*await super().create_unix_connection(*args, **options))

    def _noted(
        self, transport: asyncio.BaseTransport, protocol: asyncio.BaseProtocol
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        if not isinstance(protocol, asyncio.StreamReaderProtocol):
            self._unseen.add(transport)
        return transport, protocol

    # --- before it blocks ------------------------------------------------------------------------

    def _before_blocking(self, timeout: float | None) -> Events:
        """Return the next events; none if a callback or a timer is ready."""
        if self._now is None and self.at_rest is None:
            return self._events.wait(timeout)
        if events := self._events.wait(0):
            self._is_silent = False
            return events
        if self._now is None:
            self._rest()
            return self._events.wait(0 if self._ready else timeout)
        return self._let_time_pass(timeout)

    def _let_time_pass(self, timeout: float | None) -> Events:
        """Wait for real work; if there is none, go to the next timer."""
        if any(self._works.under_way()):
            return self._wait_for_work(timeout)
        self._is_silent = False
        if any(not transport.is_closing() for transport in self._unseen) and (
            events := self._events.wait(GRACE)
        ):
            return events
        self._rest()
        if self._ready:
            return []
        if not self._scheduled:
            return self._events.wait(LAST_GRACE) or self._give_up()
        timer = self._scheduled[0]
        if not timer.cancelled():  # the loop takes a cancelled one out
            self._now = max(self.time(), float(timer.when()))
            self._clock_resolution = max(SAME, math.ulp(self._now))  # a timer is due at its time
        return []

    def _rest(self) -> None:
        if self.at_rest is not None:
            self.at_rest()

    def _wait_for_work(self, timeout: float | None) -> Events:
        """Wait for real work; time stands still unless there are no events for long."""
        if timeout is None:
            return self._events.wait(None)
        if not self._is_silent and (events := self._events.wait(SILENCE)):
            return events
        began = time.monotonic()
        events = self._events.wait(timeout)
        self._now = self.time() + min(time.monotonic() - began, timeout)
        self._is_silent = not events
        return events

    def _give_up(self) -> Events:
        """Report that no task can continue; if that ends no wait, wait for the test's deadline."""
        self._stuck(sorted(task.get_name() for task in asyncio.all_tasks(self)))
        return [] if self._ready else self._events.wait(None)
