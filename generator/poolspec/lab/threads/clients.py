"""The clients of generated load, and what runs them: threads of the test, or an executor's.

A client borrows from the pool, or it is one of a web application and sends requests.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from poolspec.invariants.log import Log
from poolspec.lab.load.tasks import COUNT, INSERT, Heap, LoadResult, Task
from poolspec.lab.threads.actors import Actor, Crew, wait_until
from poolspec.lab.threads.clock import Clock
from poolspec.lab.threads.pool import Held, Pool
from poolspec.vocabulary import ErrorKind, Operation, Via

if TYPE_CHECKING:
    from poolspec.lab.web.answers import Answer

__tracebackhide__ = True  # a failure is shown where the test failed


@dataclass(frozen=True, slots=True)
class Habits:
    """How clients borrow."""

    via: Via
    timeout: float | None
    clock: Clock
    kind_of: Callable[[BaseException], ErrorKind | None]
    rest: float = 0.0
    """Seconds to rest after an operation that failed."""


class Worker(Protocol):
    """Does one thing after the other. Safe to use from many threads."""

    def do(self, task: Task, client: int) -> None:
        """Do one thing, and note what came of it."""


class Clients:
    """Does operations on a pool and notes what came of them. Safe to use from many threads."""

    def __init__(self, pool: Pool, habits: Habits, result: LoadResult) -> None:
        self._pool = pool
        self._habits = habits
        self._result = result
        self._lock = threading.Lock()

    def do(self, task: Task, client: int) -> None:
        """Do one operation; an error that is none of the pool's own is raised."""
        started = self._habits.clock.now()
        try:
            self._borrow(task, client)
        except Exception as error:
            kind = self._habits.kind_of(error)
            if kind is None:
                raise
            with self._lock:
                self._result.errors[kind] += 1
            if self._habits.rest:
                self._habits.clock.sleep(self._habits.rest)
            return
        with self._lock:
            self._result.succeeded += 1
            self._result.seconds.append(self._habits.clock.now() - started)

    def _borrow(self, task: Task, client: int) -> None:
        if self._habits.via is Via.WITH:
            with self._pool.entered() as held:
                self._use(held, task, client)
            return
        held = self._pool.acquire(timeout=self._habits.timeout)
        try:
            self._use(held, task, client)
        finally:
            self._pool.release(held)

    def _use(self, held: Held, task: Task, client: int) -> None:
        if task.kind is Operation.READ:
            held.query("SELECT 1", returns=1)
        elif task.kind in (Operation.WRITE, Operation.COMPLEX):
            self._write(held, task, client)
        if task.hold:
            self._habits.clock.sleep(task.hold)

    def _write(self, held: Held, task: Task, client: int) -> None:
        with held.raw.cursor() as cursor:
            cursor.execute(INSERT, (task.number, client))
            if task.kind is Operation.COMPLEX:
                cursor.execute(COUNT)
                cursor.fetchall()
        held.raw.commit()
        with self._lock:
            self._result.written.add(task.number)


class Visitors:
    """Sends requests to a web application, and notes the answers."""

    def __init__(
        self, ask: "Callable[[str], Answer]", now: Callable[[], float], result: LoadResult
    ) -> None:
        self._ask = ask
        self._now = now
        self._result = result
        self._lock = threading.Lock()

    def do(self, task: Task, client: int) -> None:
        """Send one request."""
        started = self._now()
        answer = self._ask(task.kind)
        with self._lock:
            self._result.note(answer.status, self._now() - started)


def work_off(worker: Worker, tasks: Heap, client: int) -> None:
    """Do tasks of a heap, which may be common to many clients, until none is left."""
    while tasks:
        try:
            task = tasks.popleft()
        except IndexError:  # another client took the last one
            return
        worker.do(task, client)


def start_in_threads(crew: Crew, name: str, worker: Worker, heaps: Sequence[Heap]) -> list[str]:
    """Start one client for each heap of tasks, each in a thread of its own; return their names."""
    actors = [
        Actor(f"{name}-{n + 1}", partial(work_off, worker, heap, n)) for n, heap in enumerate(heaps)
    ]
    crew.start(actors)
    return [actor.name for actor in actors]


def run_in_threads(crew: Crew, name: str, worker: Worker, heaps: Sequence[Heap]) -> None:
    """Run one client for each heap of tasks, until all are done."""
    crew.join(start_in_threads(crew, name, worker, heaps))


class ExecutorRun:
    """Runs tasks in a `ThreadPoolExecutor` on a clock that counts who can run.

    A worker counts from the moment there is a task for it until there is none: at any time as many
    take part as there are unfinished tasks, but no more than workers.
    """

    def __init__(self, clock: Clock, log: Log, workers: int, name: str) -> None:
        self._clock, self._log = clock, log
        self._workers = workers
        self._name = name
        self._lock = threading.Lock()
        self._unfinished = 0

    def run(self, clients: Clients, tasks: list[Task]) -> None:
        """Do all tasks; raise the first error that is none of the pool's own."""
        with ThreadPoolExecutor(self._workers, thread_name_prefix=self._name) as executor:
            futures = [self._submit(executor, clients, task) for task in tasks]
            wait_until(self._log, self._clock, lambda: self._unfinished == 0)
        for future in futures:
            future.result()

    def _submit(self, executor: ThreadPoolExecutor, clients: Clients, task: Task) -> Future[None]:
        with self._lock:
            if self._unfinished < self._workers:
                self._clock.enter()
            self._unfinished += 1
        return executor.submit(self._do, clients, task)

    def _do(self, clients: Clients, task: Task) -> None:
        try:
            clients.do(task, task.number % self._workers)
        finally:
            with self._lock:
                self._unfinished -= 1
                idle = self._unfinished < self._workers
            self._log.add("task_done")
            if idle:
                self._clock.leave()
