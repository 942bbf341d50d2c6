"""Actors as tasks. A task has its actor's name, so the event log shows which actor acted."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial

from poolspec.invariants.log import Entry, Log
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.waiting import wait_until
from poolspec.lab.remaining_timeout import acts
from poolspec.lab.threads.actors import GIVE_UP_AFTER

__tracebackhide__ = True  # a failure is shown where the test failed


@dataclass(frozen=True, slots=True)
class AsyncActor:
    """An actor to start: `count` tasks, each of which runs `body` `repeat` times."""

    name: str
    body: Callable[[], Awaitable[None]]
    count: int = 1
    repeat: int = 1

    def members(self) -> list[str]:
        """Return the names of its tasks."""
        if self.count == 1:
            return [self.name]
        return [f"{self.name}-{n + 1}" for n in range(self.count)]


def async_actor(
    body: Callable[[], Awaitable[None]], *, name: str = "", count: int = 1, repeat: int = 1
) -> AsyncActor:
    """Describe an actor for `AsyncLab.start`. Without a name it has that of its function."""
    return AsyncActor(name or body.__name__, body, count, repeat)


class AsyncActors:
    """All actors of a test."""

    awaits = ""
    """What the test's own task waits for."""
    is_all = True
    """Whether these are all actors of the test, as far as is known."""

    def __init__(self, clock: AsyncClock, log: Log) -> None:
        self._clock = clock
        self._log = log
        self._members: dict[str, list[str]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._errors: dict[str, BaseException] = {}
        self._done: set[str] = set()

    def start(self, actors: Iterable[AsyncActor]) -> None:
        """Start tasks; none of them runs before all are started."""
        started = [(member, actor) for actor in actors for member in self._enlist(actor)]
        self._clock.enter(len(started))
        for member, actor in started:
            task = asyncio.create_task(self._run(actor), name=member)
            task.add_done_callback(self._ended)
            self._tasks[member] = task

    def members(self, name: str) -> list[str]:
        """Return the names of an actor's tasks."""
        return self._members[name]

    def done(self) -> set[str]:
        """Return the tasks that have ended."""
        return set(self._done)

    def unfinished(self) -> list[str]:
        """Return the tasks that have not ended. Takes no lock."""
        started = [member for members in list(self._members.values()) for member in members]
        return [member for member in started if member not in self._done]

    def raise_kept(self) -> None:
        """Raise an error that an actor ended with, if there is one."""
        for member in list(self._errors):
            self._raise(member)

    def cancel(self, name: str) -> None:
        """Cancel an actor's tasks. A later join raises nothing for them."""
        for member in self._members[name]:
            self._tasks[member].cancel()

    async def join(self, names: Iterable[str]) -> None:
        """Wait until actors have ended. Raises the first error that one of them ended with."""
        for name in names:
            self.awaits = f"for the end of {name}"
            await wait_until(self._log, self._clock, partial(self._is_done, name))
            self.awaits = ""
            for member in self._members[name]:
                await asyncio.wait([self._tasks[member]])
                self._raise(member)

    async def join_all(self) -> None:
        """Wait for every actor that was started."""
        await self.join(list(self._members))

    async def abandon(self) -> None:
        """Cancel the tasks that still run, and wait a short time for them to end."""
        left = [task for task in self._tasks.values() if not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=GIVE_UP_AFTER)

    def _raise(self, member: str) -> None:
        error = self._errors.pop(member, None)
        if error is not None:
            error.add_note(f"raised in actor {member}")
            raise error

    def _enlist(self, actor: AsyncActor) -> list[str]:
        """Note the tasks of an actor. An actor that has ended may be started again."""
        members = self._members[actor.name] = actor.members()
        self._done.difference_update(members)
        return members

    def _is_done(self, name: str) -> bool:
        return self._done.issuperset(self._members[name])

    async def _run(self, actor: AsyncActor) -> None:
        acts.set(True)
        for _ in range(actor.repeat):
            await actor.body()

    def _ended(self, task: asyncio.Task[None]) -> None:
        name = task.get_name()
        kind = "actor_done"
        if task.cancelled():
            kind = "actor_cancelled"
        elif (error := task.exception()) is not None:
            self._errors[name] = error  # kept for join, which raises it in the test
        self._done.add(name)
        self._log.append(Entry(self._clock.now(), name, kind))  # wakes a join while the task counts
        self._clock.leave()
