"""The clients of generated load. A client borrows from the pool, or requests from a web app."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from poolspec.drivers.contract import AsyncDriver
from poolspec.lab.aio.actors import AsyncActor, AsyncActors
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.held import AsyncHeld
from poolspec.lab.aio.pool import AsyncPool
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.tasks import COUNT, INSERT, Task, TaskQueue, client_name
from poolspec.vocabulary import ErrorKind, Operation, Via

if TYPE_CHECKING:
    from poolspec.lab.web.answers import Answer

__tracebackhide__ = True  # a failure is shown where the test failed


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
    """Does one task after another. Safe to use from many actors."""

    async def do(self, task: Task, client: int) -> None:
        """Do one task and note its result."""


class AsyncBorrowers:
    """Does operations on a pool and notes their results. Safe to use from many actors."""

    def __init__(
        self, pool: AsyncPool, driver: AsyncDriver, habits: AsyncHabits, result: LoadResult
    ) -> None:
        self._pool = pool
        self._driver = driver
        self._habits = habits
        self._result = result

    async def do(self, task: Task, client: int) -> None:
        """Do one operation. Raises an error that is neither the pool's nor its driver's."""
        started = self._habits.clock.now()
        try:
            await self._borrow(task, client)
        except Exception as error:
            kind = self._habits.kind_of(error)
            if kind is None:
                raise
            self._result.note_error(kind)
            if self._habits.rest:
                await self._habits.clock.sleep(self._habits.rest)
        else:
            self._result.note_success(self._habits.clock.now() - started)

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
        await self._driver.run(held.raw, INSERT, (task.number, client))
        if task.kind is Operation.COMPLEX:
            await self._driver.run(held.raw, COUNT, ())
        await self._driver.commit(held.raw)
        self._result.note_write(task.number)


class AsyncRequesters:
    """Sends requests to a web application and notes the answers."""

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
        self._result.note_answer(answer.status, self._now() - started)


async def work_off(worker: AsyncWorker, tasks: TaskQueue, client: int) -> None:
    """Do tasks of a queue, which many clients may share, until none is left."""
    while tasks:
        try:
            task = tasks.popleft()
        except IndexError:  # another client took the last one
            return
        await worker.do(task, client)


def start_clients(
    actors: AsyncActors, load: str, worker: AsyncWorker, queues: Sequence[TaskQueue]
) -> list[str]:
    """Start one client for each queue, each as an actor; return their names."""
    clients = [
        AsyncActor(client_name(load, n), partial(work_off, worker, queue, n))
        for n, queue in enumerate(queues)
    ]
    actors.start(clients)
    return [client.name for client in clients]
