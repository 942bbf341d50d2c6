"""Actors as tasks. A task has its actor's name, so the event log shows which actor acted."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from poolspec.invariants.log import Entry, Log
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.waiting import wait_until
from poolspec.lab.remaining_timeout import acts
from poolspec.lab.roster import OneFails, Roster, member_names
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
        return member_names(self.name, self.count)


def async_actor(
    body: Callable[[], Awaitable[None]], *, name: str = "", count: int = 1, repeat: int = 1
) -> AsyncActor:
    """Describe an actor for `AsyncLab.start`. Without a name it has that of its function."""
    return AsyncActor(name or body.__name__, body, count, repeat)


class AsyncActors(Roster):
    """All actors of a test."""

    def __init__(self, clock: AsyncClock, log: Log) -> None:
        super().__init__()
        self._clock = clock
        self._log = log
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, actors: Iterable[AsyncActor]) -> None:
        """Start tasks; none of them runs before all are started."""
        started = [(member, actor) for actor in actors for member in self._enlist(actor)]
        self._clock.enter(len(started))
        for member, actor in started:
            task = asyncio.create_task(self._run(actor), name=member)
            task.add_done_callback(self._ended)
            self._tasks[member] = task

    def cancel(self, name: str) -> None:
        """Cancel an actor's tasks. A later join raises nothing for them."""
        for member in self._members[name]:
            self._tasks[member].cancel()

    async def join(self, names: Sequence[str], one_fails: OneFails | None = None) -> None:
        """Wait until actors have ended. Raises the first error that one of them ended with.

        With `one_fails`, checks that exactly one of them failed in this way.
        """
        for name in names:
            self.awaits = f"for the end of {name}"
            await wait_until(self._log, self._clock, partial(self._is_done, name))
            self.awaits = ""
            for member in self._members[name]:
                await asyncio.wait([self._tasks[member]])
                if one_fails is None:
                    self._raise(member)
        if one_fails is not None:
            self._check_one([m for name in names for m in self._members[name]], one_fails)

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
