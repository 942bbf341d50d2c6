"""Hooks that a test gives to its pool, and a count of their calls."""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from poolspec.lifecycle.body_errors import BodyInterrupt
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import Hook

MARKS = "SET @set_up = 1"
"""The statement of a hook that marks its session."""

BEGINS = "START TRANSACTION"
LEFT_UNREAD = "SELECT 1 UNION ALL SELECT 2"
HOOK_PLACES = ("setup", "on_acquire", "on_release")
"""The options of a pool that take a hook."""
SLOW_FOR = 1.0
"""Seconds of the test's clock that a slow hook takes."""
HANGS_FOR = 3600.0


class HookError(Exception):
    """Raised by a hook that fails on purpose."""


class HookDriver(Protocol):
    """The calls of a driver that hooks make; in asyncio they return awaitables."""

    def run(self, connection: Any, sql: str, params: tuple[Any, ...]) -> object:
        """Run a statement."""

    def reconnect(self, connection: Any) -> object:
        """Connect again if the connection is lost."""

    def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> object:
        """Run a statement, and leave its rows for the server to send."""


class Hooks:
    """Makes hooks and counts their calls. Safe to use from any thread.

    `sleep` lets time pass, `driver` uses a connection. If they return awaitables, so do the hooks
    that use them. `called` takes the place of each hook that the pool calls.
    """

    def __init__(
        self,
        sleep: Callable[[float], object],
        driver: HookDriver,
        called: Callable[[str], None],
    ) -> None:
        self._sleep = sleep
        self._driver = driver
        self._called = called
        self._lock = FreshLock()
        self._calls: Counter[str] = Counter()
        self._made: dict[tuple[str, str], Callable[[Any], Any]] = {}
        self.are_idle = False
        """Whether the hooks do nothing at present."""

    def fill_in(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options in which hooks replace the words for them."""
        made = {
            place: self.make(place, options[place]) for place in HOOK_PLACES if place in options
        }
        return {**options, **made}

    def make(self, place: str, word: str) -> Callable[[Any], Any]:
        """Return the hook for an option, such as `setup`, that `word` names.

        It is the same object each time, so two requests for a global pool have equal options.
        """
        with self._lock:
            return self._made.setdefault((place, word), self._hook(place, word))

    def _hook(self, place: str, word: str) -> Callable[[Any], Any]:
        def hook(connection: Any) -> Any:
            if self.are_idle:
                return None
            with self._lock:
                self._calls[place] += 1
                call = self._calls[place]
            first = call == 1
            self._called(place)
            if word == Hook.FAILING or word == (Hook.FAILING_ONCE if first else Hook.FAILING_LATER):
                raise _failure(place)
            if word in _ONCE:
                return self._act_once(place, word, connection) if call == _ONCE[word] else None
            if word in (Hook.CLOSING, Hook.RENEWING):
                connection.close()
            if word == Hook.MARKING:
                return self._driver.run(connection, MARKS, ())
            if word == Hook.BEGINNING:
                return self._driver.run(connection, BEGINS, ())
            if word in (Hook.RECONNECTING, Hook.RENEWING):
                return self._driver.reconnect(connection)
            return self._sleep(SLOW_FOR) if word == Hook.SLOW else None

        return hook

    def _act_once(self, place: str, word: str, connection: Any) -> object:
        if word == Hook.INTERRUPTED_ONCE:
            raise BodyInterrupt(f"the {place} hook is interrupted, as the test asked")
        if word in (Hook.HANGING, Hook.HANGING_LATER):
            return self._sleep(HANGS_FOR)
        if word == Hook.FAILING_UNREAD:
            return _then_fail(place, self._driver.leave_unread(connection, LEFT_UNREAD, ()))
        return _then_fail(place, self._driver.run(connection, BEGINS, ()))

    def forget(self) -> None:
        """Reset the counts: the next call is the first."""
        self._calls.clear()
        self.are_idle = False

    def calls(self, place: str) -> int:
        """Return how often the pool called a hook."""
        return self._calls[place]


_ONCE: dict[str, int] = {
    Hook.FAILING_IN_TRANSACTION: 1,
    Hook.FAILING_UNREAD: 1,
    Hook.INTERRUPTED_ONCE: 1,
    Hook.HANGING: 1,
    Hook.HANGING_LATER: 2,
}
"""Hooks that do something at one call only, and the number of this call."""


def _failure(place: str) -> HookError:
    return HookError(f"the {place} hook fails, as the test asked")


def _then_fail(place: str, work: object) -> object:
    """Raise the error of a hook after its work, which is awaitable in asyncio."""
    if not inspect.isawaitable(work):
        raise _failure(place)

    async def fail() -> None:
        await work
        raise _failure(place)

    return fail()
