"""The cast: actors of a test, the time that passes, and what must be waited for.

Actors are threads. The words here belong to the test's main thread, which waits on the test's
clock like any actor.
"""

import threading
from collections.abc import Callable

from poolspec.faults.server import LOOK_EVERY
from poolspec.invariants.complaints import demand
from poolspec.invariants.observer import settle
from poolspec.invariants.stuck_report import awaited
from poolspec.lab import health, remaining_timeout
from poolspec.lab.comparisons import Expected
from poolspec.lab.threads.actors import Actor, Crew
from poolspec.lab.threads.pools import Pools
from poolspec.lifecycle.forking import in_child
from poolspec.vocabulary import ActorState

__tracebackhide__ = True  # a failure is shown where the test failed


class Cast(Pools):
    """Actors, time, and what comes true after a while."""

    def start(self, *actors: Actor) -> None:
        """Start actors; all leave a barrier at the same moment."""
        self._crew.start(actors)

    def join(self, *names: str) -> None:
        """Wait for actors to end; raise what one of them raised."""
        self._crew.join(names)

    def fork(self, work: Callable[[], None]) -> None:
        """Do work in a forked child, which has a copy of the test's pools and closes them.

        Raises AssertionError with the message of what fails there, and when it leaves something.
        """
        in_child(lambda: self._live(work))

    def wait_until_waiting(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, are in the pool's queue."""
        self._wait_for(ActorState.WAITING, name, count, lambda: set(self._waiting()))

    def wait_until_holding(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, hold a connection."""
        self._wait_for(ActorState.HOLDING, name, count, self._holding)

    def wait_until_done(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, have ended."""
        self._wait_for(ActorState.DONE, name, count, self._crew.done)

    def advance(self, seconds: float) -> None:
        """Let that time pass."""
        self._log.add("advance", detail=f"{seconds:g} s")
        self._clock.sleep(seconds)

    def expect_server(
        self, *, connections: Expected | None = None, peak: Expected | None = None
    ) -> None:
        """Check the server's count of this test's pool connections, and the most open at once."""
        self._check_server(connections, peak)

    def expect_remaining_timeout(self, expected: Expected) -> None:
        """Check how long an actor that waits for the database will still wait, in real seconds."""

        def look() -> str | None:
            actors = (thread.ident or 0 for thread in self._new_threads())
            return remaining_timeout.complaint(expected, remaining_timeout.of_threads(actors))

        demand(settle(look, lambda said: said is None))

    def expect_health(self, status: str) -> None:
        """Check the pool's own verdict on itself; its figures must be those of the pool."""
        pool = self._only_pool()
        before = self._figures(pool)
        seen = pool.health()
        demand(*health.complaints(status, seen, before, self._figures(pool)))

    def expect_within(self, seconds: float, check: Callable[[], None]) -> None:
        """Wait until expectations hold, but not longer than so many seconds of the test's clock."""
        deadline = self._clock.now() + seconds
        while True:
            try:
                return check()
            except AssertionError:
                if self._clock.now() >= deadline:
                    raise
            self._clock.sleep(min(LOOK_EVERY, deadline - self._clock.now()))

    def _live(self, work: Callable[[], None]) -> None:
        """In a forked child: do work, and leave nothing. Connections of the parent do not count."""
        self._observer.forget()
        self._crew = Crew(self._clock, self._log)
        inherited = {pool: set(pool.sockets.open()) for pool in self._pools}
        work()
        self._crew.join_all()
        for pool in self._pools:
            pool.release_all()
            pool.close()
            left = pool.sockets.open().keys() - inherited.get(pool, set())
            demand(f"{len(left)} sockets of the child are open after close" if left else None)

    def _new_threads(self) -> set[threading.Thread]:
        return set(threading.enumerate()) - self._threads_before

    def _thread_names(self) -> list[str]:
        return [thread.name for thread in self._new_threads()]

    def _wait_for(
        self, state: ActorState, name: str | None, count: int, seen: Callable[[], set[str]]
    ) -> None:
        self._wait_until(awaited(self._crew, state, name, count, seen))
