"""Actors as threads.

All actors of one `start` leave a barrier together. An actor's thread has the actor's name, so the
event log shows which actor acted. An exception ends the actor; `join` raises it in the test.
"""

import ctypes
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from poolspec.invariants.log import Log
from poolspec.lab.roster import OneFails, Roster, member_names
from poolspec.lab.threads.clock import Clock
from poolspec.lab.threads.waiting import wait_until
from poolspec.lifecycle.teardown import LAST_LIMIT

__tracebackhide__ = True  # a failure is shown where the test failed

GIVE_UP_AFTER = 5.0
"""Real seconds within which an abandoned thread must end."""


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor to start: `count` threads, each of which runs `body` `repeat` times."""

    name: str
    body: Callable[[], None]
    count: int = 1
    repeat: int = 1

    def members(self) -> list[str]:
        """Return the names of its threads."""
        return member_names(self.name, self.count)


def actor(body: Callable[[], None], *, name: str = "", count: int = 1, repeat: int = 1) -> Actor:
    """Describe an actor for `Lab.start`. Without a name it has that of its function."""
    return Actor(name or body.__name__, body, count, repeat)


def exit_soon(thread: threading.Thread) -> None:
    """Make a thread raise SystemExit at its next step in Python."""
    set_error = ctypes.pythonapi.PyThreadState_SetAsyncExc
    set_error(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))


class Actors(Roster):
    """All actors of a test. Used from the test's main thread; an actor only ends itself."""

    def __init__(self, clock: Clock, log: Log) -> None:
        super().__init__()
        self._clock = clock
        self._log = log
        self._threads: dict[str, threading.Thread] = {}

    def start(self, actors: Iterable[Actor]) -> None:
        """Start threads and release all of them at the same moment."""
        started = [(member, actor) for actor in actors for member in self._enlist(actor)]
        barrier = threading.Barrier(len(started) + 1)
        self._clock.enter(len(started))
        for member, actor in started:
            thread = threading.Thread(
                target=self._run, args=(member, actor, barrier), name=member, daemon=True
            )
            self._threads[member] = thread
            thread.start()
        barrier.wait()

    def join(self, names: Sequence[str], one_fails: OneFails | None = None) -> None:
        """Wait until actors have ended. Raises the first error that one of them ended with.

        With `one_fails`, checks that exactly one of them failed so.
        """
        for name in names:
            self.awaits = f"for the end of {name}"
            wait_until(self._log, self._clock, partial(self._is_done, name))
            self.awaits = ""
            for member in self._members[name]:
                self._threads[member].join(GIVE_UP_AFTER)
                if one_fails is None:
                    self._raise(member)
        if one_fails is not None:
            self._check_one([m for name in names for m in self._members[name]], one_fails)

    def join_all(self) -> None:
        """Wait for every actor that was started."""
        self.join(list(self._members))

    def forget(self) -> None:
        """In a forked child: forget the parent's actors, whose threads do not exist here."""
        for known in (self._members, self._threads, self._errors, self._done):
            known.clear()

    def abandon(self) -> None:
        """Wait a short time for threads whose clock was aborted; make the others exit.

        A blocked thread exits only when it is released. It is left behind.
        """
        for thread in self._alive_after(GIVE_UP_AFTER):
            exit_soon(thread)
        self._alive_after(LAST_LIMIT)

    def _alive_after(self, seconds: float) -> list[threading.Thread]:
        deadline = time.monotonic() + seconds
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        return [thread for thread in self._threads.values() if thread.is_alive()]

    def _run(self, member: str, actor: Actor, barrier: threading.Barrier) -> None:
        try:
            barrier.wait()
            for _ in range(actor.repeat):
                actor.body()
        except BaseException as error:  # kept for join, which raises it in the test
            self._errors[member] = error
        finally:
            self._done.add(member)
            self._log.add("actor_done")  # wakes a join while this thread still counts
            self._clock.leave()
