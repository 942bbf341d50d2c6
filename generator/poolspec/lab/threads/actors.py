"""Actors: the threads of a test.

All actors of one `start` leave a barrier together. An actor's thread carries the actor's name, so
the event log knows who did what. An exception ends the actor and is kept for whoever joins it.
"""

import ctypes
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from poolspec.invariants.log import Log
from poolspec.lab.threads.clock import Clock
from poolspec.lifecycle.teardown import LAST

__tracebackhide__ = True  # a failure is shown where the test failed

GIVE_UP_AFTER = 5.0
"""Real seconds within which an abandoned thread must end."""


@dataclass(frozen=True, slots=True)
class Actor:
    """What to start: `count` threads, each running `body` `repeat` times."""

    name: str
    body: Callable[[], None]
    count: int = 1
    repeat: int = 1

    def members(self) -> list[str]:
        """Return the names of its threads."""
        return (
            [self.name] if self.count == 1 else [f"{self.name}-{n + 1}" for n in range(self.count)]
        )


def actor(name: str, body: Callable[[], None], *, count: int = 1, repeat: int = 1) -> Actor:
    """Describe an actor for `Lab.start`."""
    return Actor(name, body, count, repeat)


def wait_until(log: Log, clock: Clock, holds: Callable[[], bool]) -> None:
    """Block until `holds()` is true; it is asked again after every entry of the log.

    Raises what the clock raises when nobody is left who could make it true.
    """
    while True:
        watcher = clock.waiter()
        log.watch(watcher.wake)  # registered first, asked second: no entry slips between
        if holds():
            return
        watcher.wait(None)


def exit_soon(thread: threading.Thread) -> None:
    """Have a thread raise SystemExit at the next step that it takes in Python."""
    set_error = ctypes.pythonapi.PyThreadState_SetAsyncExc
    set_error(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))


class Crew:
    """All actors of a test. Used from the test's main thread; actors only ever end themselves."""

    awaits = ""
    """What the main thread waits for."""
    is_all = True
    """Nobody acts but these, as far as is known."""

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock = clock
        self._log = log
        self._members: dict[str, list[str]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._errors: dict[str, BaseException] = {}
        self._done: set[str] = set()

    def start(self, actors: Iterable[Actor]) -> None:
        """Start threads and let all of them go at the same moment."""
        cast = [(member, actor) for actor in actors for member in self._enlist(actor)]
        barrier = threading.Barrier(len(cast) + 1)
        self._clock.enter(len(cast))
        for member, actor in cast:
            thread = threading.Thread(
                target=self._run, args=(member, actor, barrier), name=member, daemon=True
            )
            self._threads[member] = thread
            thread.start()
        barrier.wait()

    def members(self, name: str) -> list[str]:
        """Return the names of an actor's threads."""
        return self._members[name]

    def is_done(self, name: str) -> bool:
        """Say whether all threads of an actor have ended."""
        return self._done.issuperset(self._members[name])

    def done(self) -> set[str]:
        """Return the threads that have ended."""
        return set(self._done)

    def unfinished(self) -> list[str]:
        """Return the threads that have not ended. Takes no lock."""
        started = [member for members in list(self._members.values()) for member in members]
        return [member for member in started if member not in self._done]

    def raise_kept(self) -> None:
        """Raise what an actor raised that has ended, if any did."""
        for member in list(self._errors):
            self._raise(member)

    def join(self, names: Iterable[str]) -> None:
        """Wait for actors to end, then raise the first thing that one of them raised."""
        for name in names:
            self.awaits = f"for the end of {name}"
            wait_until(self._log, self._clock, partial(self.is_done, name))
            self.awaits = ""
            for member in self._members[name]:
                self._threads[member].join(GIVE_UP_AFTER)
                self._raise(member)

    def join_all(self) -> None:
        """Wait for every actor that was started."""
        self.join(list(self._members))

    def abandon(self) -> None:
        """Wait a little for threads whose clock was aborted; those that run on are told to end.

        A thread that blocks hears nothing of it until it comes free, and is left behind.
        """
        for thread in self._alive_after(GIVE_UP_AFTER):
            exit_soon(thread)
        self._alive_after(LAST)

    def _alive_after(self, seconds: float) -> list[threading.Thread]:
        deadline = time.monotonic() + seconds
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        return [thread for thread in self._threads.values() if thread.is_alive()]

    def _raise(self, member: str) -> None:
        error = self._errors.pop(member, None)
        if error is not None:
            error.add_note(f"raised in actor {member}")
            raise error

    def _enlist(self, actor: Actor) -> list[str]:
        """Note the threads of an actor. One that has ended may be started again."""
        members = self._members[actor.name] = actor.members()
        self._done.difference_update(members)
        return members

    def _run(self, member: str, actor: Actor, barrier: threading.Barrier) -> None:
        try:
            barrier.wait()
            for _ in range(actor.repeat):
                actor.body()
        except BaseException as error:  # kept for join, which raises it in the test
            self._errors[member] = error
        finally:
            self._done.add(member)
            self._log.add("actor_done")  # wakes who joins before this thread stops counting
            self._clock.leave()
