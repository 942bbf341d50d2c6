"""The clients of generated load. A client borrows from the pool, or requests from a web app."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from poolspec.drivers.contract import AsyncDriver
from poolspec.lab.aio.actors import AsyncActor, AsyncActors
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.held import AsyncHeld
from poolspec.lab.aio.pool import AsyncPool
from poolspec.lab.load.loads import Generated
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.supply import Supply
from poolspec.lab.load.tasks import COUNT, INSERT, Task, filled_in
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
    statements: Mapping[str, Sequence[str]]
    """The spec's own statements, by kind."""
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
        started = self._habits.clock.now() if task.due is None else task.due
        try:
            await self._borrow(task, client)
        except Exception as error:
            kind = self._habits.kind_of(error)
            if kind is None:
                raise
            if task.counts:
                self._result.note_error(kind, task.kind, str(error))
            self._pool.note_failed(kind)
            if self._habits.rest:
                await self._habits.clock.sleep(self._habits.rest)
        else:
            if task.counts:
                self._result.note_success(self._habits.clock.now() - started, task.kind, client)

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
        if (statements := self._habits.statements.get(task.kind)) is not None:
            await self._run(held, task, client, statements)
        elif task.kind == Operation.READ:
            await held.query("SELECT 1", returns=1)
        elif task.kind in (Operation.WRITE, Operation.COMPLEX):
            await self._write(held, task, client)
        if task.hold:
            await self._habits.clock.sleep(task.hold)

    async def _run(
        self, held: AsyncHeld, task: Task, client: int, statements: Sequence[str]
    ) -> None:
        """Run the spec's statements; commit, unless they only read."""
        for statement in statements:
            await held.query(filled_in(statement, task.number, client))
        if task.kind != Operation.READ:
            await self._driver.commit(held.raw)

    async def _write(self, held: AsyncHeld, task: Task, client: int) -> None:
        await self._driver.run(held.raw, INSERT, (task.number, client))
        if task.kind == Operation.COMPLEX:
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
        started = self._now() if task.due is None else task.due
        answer = await self._ask(task.kind)
        if not task.counts:
            return
        if 200 <= answer.status < 300:
            self._result.note_success(self._now() - started, task.kind, client)
        else:
            self._result.note_refusal(answer.status, task.kind)


async def work_off(worker: AsyncWorker, supply: Supply, clock: AsyncClock, client: int) -> None:
    """Do the tasks of one client until none is left."""
    if not await pause(supply, clock, supply.start_of(client)):
        return
    while (task := supply.take(client)) is not None:
        if task.due is not None and not await pause(supply, clock, task.due):
            supply.put_back(task)
            return
        await worker.do(task, client)
        if task.think:
            await pause(supply, clock, clock.now() + task.think)


async def pause(supply: Supply, clock: AsyncClock, until: float) -> bool:
    """Let time pass until a moment, or until the load is stopped; return whether it continues."""
    if until > clock.now():
        waiter = clock.waiter()
        with supply.waking(waiter):
            await waiter.wait(until)
    return not supply.is_stopped


def start_clients(
    actors: AsyncActors, load: Generated, worker: AsyncWorker, clock: AsyncClock
) -> list[str]:
    """Start the clients of a load, each as an actor; return their names."""
    clients = [
        AsyncActor(name, partial(work_off, worker, load.supply, clock, n))
        for n, name in enumerate(load.clients())
    ]
    actors.start(clients)
    return [client.name for client in clients]
