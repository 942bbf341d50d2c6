"""How the virtual objects of one block wait: on the block's clock.

An object keeps the `Waits` that was current when it was made. A wait can end in four ways: it is
woken, its deadline comes, an interrupt is raised in its thread, or the clock fails, because the
test is over or can never continue.
"""

import threading
from collections.abc import Callable
from typing import Protocol


class Waiter(Protocol):
    """One wait of one thread."""

    def wait(self, deadline: float | None) -> bool:
        """Block until woken (True) or until the clock reaches `deadline` (False)."""

    def wake(self) -> object:
        """End the wait, or prevent it if it has not started. Any thread may call it."""


class Clock(Protocol):
    """The clock of a block. It counts the threads that can run."""

    def now(self) -> float:
        """Return the time in seconds."""

    def waiter(self) -> Waiter:
        """Make a waiter for the calling thread."""

    def enter(self) -> None:
        """Count one more thread that can run."""

    def leave(self) -> None:
        """Count one thread less."""


class ThreadEndedError(SystemExit):
    """Ends a thread of the modules silently when the clock has failed."""


class Waits:
    """The waits on one clock. Made in the thread that enters the block."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.now
        self.waiter: Callable[[], Waiter] = clock.waiter
        self.clock = clock
        self.failed = False
        """Whether the clock has failed."""
        self._strangers = set(threading.enumerate()) - {threading.current_thread()}
        self._own = threading.local()

    def deadline(self, timeout: float | None) -> float | None:
        """Return when a wait that begins now ends; None: never. A negative timeout has passed."""
        return None if timeout is None else self.now() + timeout

    def wait(self, waiter: Waiter, deadline: float | None) -> bool:
        """Block until woken (True) or until the deadline (False)."""
        try:
            if threading.current_thread() not in self._strangers:
                return waiter.wait(deadline)
            self.clock.enter()
            try:
                return waiter.wait(deadline)
            finally:
                self.clock.leave()
        except Exception as error:
            self.failed = True
            if self.is_own_thread():
                raise ThreadEndedError from error
            raise

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        self.wait(self.waiter(), self.now() + seconds)

    def begin_thread(self) -> None:
        """Know the calling thread as one that a module of the block has started."""
        self._own.began = True

    def is_own_thread(self) -> bool:
        """Return whether a module of the block has started the calling thread."""
        return hasattr(self._own, "began")


_current: list[Waits] = []


def current() -> Waits:
    """Return the waits of the block under way, or of the last one."""
    if not _current:
        raise RuntimeError("virtual objects can be made only within `virtual_modules`")
    return _current[-1]


def begin(waits: Waits) -> None:
    """Let the objects made from now on wait like this."""
    _current[:] = [waits]
