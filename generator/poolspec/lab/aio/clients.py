"""The clients of generated load, as tasks."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from poolspec.lab.aio.actors import AsyncActor, AsyncCrew
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.aio.pool import AsyncHeld, AsyncPool
from poolspec.lab.load.tasks import COUNT, INSERT, Heap, LoadResult, Task
from poolspec.vocabulary import ErrorKind, Operation, Via

if TYPE_CHECKING:
    from poolspec.lab.web.answers import Answer


@dataclass(frozen=True, slots=True)
class AsyncHabits:
    """How clients borrow."""

    via: Via
    timeout: float | None
    clock: AsyncClock
    kind_of: Callable[[BaseException], ErrorKind | None]
    rest: float = 0.0
    """Seconds to rest after an operation that failed."""


class AsyncWorker(Protocol):
    """Does one thing after the other."""

    async def do(self, task: Task, client: int) -> None:
        """Do one thing, and note what came of it."""


class AsyncClients:
    """Does operations on a pool and notes what came of them."""

    def __init__(
        self, pool: AsyncPool, adapter: AsyncPoolAdapter, habits: AsyncHabits, result: LoadResult
    ) -> None:
        self._pool = pool
        self._adapter = adapter
        self._habits = habits
        self._result = result

    async def do(self, task: Task, client: int) -> None:
        """Do one operation; an error that is none of the pool's own is raised."""
        started = self._habits.clock.now()
        try:
            await self._borrow(task, client)
        except Exception as error:
            kind = self._habits.kind_of(error)
            if kind is None:
                raise
            self._result.errors[kind] += 1
            if self._habits.rest:
                await self._habits.clock.sleep(self._habits.rest)
            return
        self._result.succeeded += 1
        self._result.seconds.append(self._habits.clock.now() - started)

    async def _borrow(self, task: Task, client: int) -> None:
        if self._habits.via is Via.WITH:
            async with self._pool.entered() as held:
                await self._use(held, task, client)
            return
        held = await self._pool.acquire(timeout=self._habits.timeout)
        try:
            await self._use(held, task, client)
        finally:
            await self._pool.release(held)

    async def _use(self, held: AsyncHeld, task: Task, client: int) -> None:
        if task.kind is Operation.READ:
            await held.query("SELECT 1", returns=1)
        elif task.kind in (Operation.WRITE, Operation.COMPLEX):
            await self._write(held, task, client)
        if task.hold:
            await self._habits.clock.sleep(task.hold)

    async def _write(self, held: AsyncHeld, task: Task, client: int) -> None:
        await self._adapter.run(held.raw, INSERT, (task.number, client))
        if task.kind is Operation.COMPLEX:
            await self._adapter.run(held.raw, COUNT, ())
        await self._adapter.commit(held.raw)
        self._result.written.add(task.number)


class AsyncVisitors:
    """Sends requests to a web application, and notes the answers."""

    def __init__(
        self,
        ask: "Callable[[str], Awaitable[Answer]]",
        now: Callable[[], float],
        result: LoadResult,
    ) -> None:
        self._ask = ask
        self._now = now
        self._result = result

    async def do(self, task: Task, client: int) -> None:
        """Send one request."""
        started = self._now()
        answer = await self._ask(task.kind)
        self._result.note(answer.status, self._now() - started)


async def work_off(worker: AsyncWorker, tasks: Heap, client: int) -> None:
    """Do tasks of a heap, which may be common to many clients, until none is left."""
    while tasks:
        await worker.do(tasks.popleft(), client)


def start_in_tasks(
    crew: AsyncCrew, name: str, worker: AsyncWorker, heaps: Sequence[Heap]
) -> list[str]:
    """Start one client for each heap of tasks, each as a task of its own; return their names."""
    actors = [
        AsyncActor(f"{name}-{n + 1}", partial(work_off, worker, heap, n))
        for n, heap in enumerate(heaps)
    ]
    crew.start(actors)
    return [actor.name for actor in actors]


async def run_in_tasks(
    crew: AsyncCrew, name: str, worker: AsyncWorker, heaps: Sequence[Heap]
) -> None:
    """Run one client for each heap of tasks, until all are done."""
    await crew.join(start_in_tasks(crew, name, worker, heaps))
