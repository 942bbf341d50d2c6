"""Re-entry: foreign code calls the pool in a thread that is inside one of the pool's methods.

A signal handler runs between two instructions of the pool, and so does everything that the garbage
collector runs. For them the lab takes each place where Python may do so: where a function of the
pool starts, and where a C function that the pool called has returned. It finds these places from
outside, with Python's profiler hook (`sys.setprofile`), and there raises a real signal, or drops an
object with a finalizer and runs the collector. For a listener, a log handler or a hook it takes
their calls by the pool.

Each attempt re-enters the pool once. A pool may refuse the call at once, but it must not block.
"""

import gc
import logging
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from poolspec.interruption.points import call_path, module_of, place_of
from poolspec.lifecycle.forking import Progress
from poolspec.vocabulary import Caller, ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed

AT_ONCE = 0.1
"""Seconds of the test's clock within which a pool refuses a call at once."""
_OFTEN = 2
_SIGNAL = signal.SIGUSR1
_NOT_OF_A_POOL = sys.stdlib_module_names | {"poolspec"}
_HELPERS = frozenset({"threading", "queue"})
"""Modules whose functions belong to the pool that calls them."""


class ForeignCalls:
    """Passes the calls of a test's listener and hooks on to the attempt under way, if any."""

    def __init__(self) -> None:
        self.taker: Callable[[Caller, str], None] | None = None

    def made(self, by: Caller, where: str) -> None:
        """Take a call that the pool makes."""
        if self.taker is not None:
            self.taker(by, where)


class Site:
    """What a re-entry needs to know about its test and pool."""

    def __init__(
        self,
        pool: Any,
        clock: Any,
        logger: logging.Logger,
        foreign: ForeignCalls,
        kind_of: Callable[[BaseException], ErrorKind | None],
    ) -> None:
        self._packages = packages_of(pool)
        module = type(clock).__module__
        package = module.rpartition(".")[0]
        self._not_of_pool = package if "." in package else module
        self._by_module: dict[str, bool | None] = {}
        self.now = clock.now
        self.logger = logger
        self.foreign = foreign
        self.kind_of = kind_of

    def is_of_pool(self, frame: FrameType | None) -> bool:
        """Return whether a frame runs the pool's code. What comes with the test's clock is not."""
        while frame is not None:
            name = module_of(frame)
            if name not in self._by_module:
                self._by_module[name] = self._is_of_pool(name)
            is_of_pool = self._by_module[name]
            if is_of_pool is not None:
                return is_of_pool
            frame = frame.f_back
        return False

    def _is_of_pool(self, module: str) -> bool | None:
        """Return whether a module is the pool's; None if it belongs to its callers."""
        if f"{module}.".startswith(f"{self._not_of_pool}."):
            return False
        return None if module in _HELPERS else module.partition(".")[0] in self._packages


def packages_of(pool: Any) -> frozenset[str]:
    """Return the packages of a pool's classes, and of what it holds: it may wrap another pool."""
    parts = [type(part) for part in getattr(pool, "__dict__", {}).values()]
    kinds = [*type(pool).__mro__, *parts]
    return frozenset(kind.__module__.partition(".")[0] for kind in kinds) - _NOT_OF_A_POOL


Tried = set[tuple[Hashable, int]]
"""The points that were tried: places in the program, each with its number in its round."""


class ReentryPoint:
    """Re-enters the pool at the first point of its block that was not tried before, if any.

    A place in the program counts as a point twice in a round at most: in a new state, and again.
    """

    def __init__(
        self, tried: Tried, by: Caller, may_fail: Collection[ErrorKind], site: Site
    ) -> None:
        self._tried = tried
        self._by = by
        self._may_fail = may_fail
        self._site = site
        self._thread = threading.get_ident()
        self._seen: Counter[Hashable] = Counter()
        self._call: Callable[[], None] | None = None
        self._everywhere = False
        self._outer: Any = None
        self.error: BaseException | None = None
        """The error with which the re-entered call failed."""
        self.where = ""
        """The point at which the pool was re-entered; empty if it was not."""
        self.progress: Progress | None = None
        """Takes the point before the pool is re-entered, since that call may never return."""

    @contextmanager
    def into(self, call: Callable[[], None], *, everywhere: bool = False) -> Iterator[None]:
        """Re-enter the pool with a call while the block runs; see `watching`."""
        with self.watching(lambda: self.keep(call), everywhere=everywhere):
            yield

    @contextmanager
    def watching(self, call: Callable[[], None], *, everywhere: bool = False) -> Iterator[None]:
        """Make the call at the point. Raises its error at the end of the block.

        `everywhere`: the call changes nothing, so it is made at all points that the block has.
        """
        self._everywhere = everywhere
        self._call = call
        try:
            with self._taking():
                yield
        except Exception as error:
            if self.error is None and not self._may_end_with(error):
                raise
        finally:
            self._call = None
        if self.error is not None:
            raise self.error

    def keep(self, call: Callable[[], None]) -> None:
        """Make the re-entered call, and keep its error unless the pool has refused it at once."""
        started = self._site.now()
        try:
            call()
        except BaseException as error:
            self.fail(error, started)

    def fail(self, error: BaseException, started: float) -> None:
        """Keep an error of the re-entered call, unless the pool has refused it at once."""
        at_once = self._site.now() - started < AT_ONCE
        if not (at_once and self._site.kind_of(error) is ErrorKind.REENTRANT):
            error.add_note("raised by the call that re-entered the pool")
            self.error = error

    def _may_end_with(self, error: Exception) -> bool:
        return bool(self.where) and self._site.kind_of(error) in self._may_fail

    @contextmanager
    def _taking(self) -> Iterator[None]:
        """Take the points of this attempt while the block runs."""
        self._outer, handler = sys.getprofile(), _Handler(self._take)
        if self._by in (Caller.SIGNAL, Caller.COLLECTOR):
            sys.setprofile(self._look)
        elif self._by is Caller.LOG_HANDLER:
            self._site.logger.addHandler(handler)
        else:
            self._site.foreign.taker = self._take
        try:
            yield
        finally:
            sys.setprofile(self._outer)
            self._site.logger.removeHandler(handler)
            self._site.foreign.taker = None

    def _look(self, frame: FrameType, event: str, call: Any) -> None:
        """Take a call from the interpreter."""
        if self._call is None:
            sys.setprofile(self._outer)  # the pool was re-entered
        elif event == "call" and self._site.is_of_pool(frame):
            self._pass(place_of(frame), lambda: f"at the beginning of {call_path(frame)}")
        elif event == "c_return" and self._site.is_of_pool(frame):
            self._pass(place_of(frame, call), lambda: f"after {call_path(frame, call)}")

    def _take(self, by: Caller, where: str) -> None:
        if by is self._by and threading.get_ident() == self._thread:
            self._pass(where, lambda: where)

    def _pass(self, place: Hashable, where: Callable[[], str]) -> None:
        if self._call is None:
            return
        self._seen[place] += 1
        point = (place, self._seen[place])
        if point not in self._tried and self._seen[place] <= _OFTEN:
            self._tried.add(point)
            call, self._call = self._call, None
            self.where = f"by a {self._by.value.replace('_', ' ')} {where()}"
            if self.progress is not None:
                self.progress.note(self.where)
            _ENTER[self._by](call)
            if self._everywhere and self.error is None:
                self._call = call


class _Handler(logging.Handler):
    def __init__(self, take: Callable[[Caller, str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(Caller.LOG_HANDLER, f"for the record {record.getMessage()!r}")


class _Finalized:
    """Garbage that only the collector finds, since it refers to itself."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._itself = self

    def __del__(self) -> None:
        self._call()


def _by_signal(call: Callable[[], None]) -> None:
    before = signal.signal(_SIGNAL, lambda *_: call())
    try:
        signal.raise_signal(_SIGNAL)
    finally:
        signal.signal(_SIGNAL, before)


def _by_collector(call: Callable[[], None]) -> None:
    _Finalized(call)
    gc.collect(0)


def _directly(call: Callable[[], None]) -> None:
    call()


_ENTER = {
    Caller.SIGNAL: _by_signal,
    Caller.COLLECTOR: _by_collector,
    Caller.LISTENER: _directly,
    Caller.LOG_HANDLER: _directly,
    Caller.HOOK: _directly,
}
