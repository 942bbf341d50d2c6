"""Generated load in a `ThreadPoolExecutor`, as a server with a worker pool would run it."""

import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from poolspec.invariants.log import Log
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.tasks import Task
from poolspec.lab.load.terms import LoadTerms
from poolspec.lab.threads.clients import Worker
from poolspec.lab.threads.clock import Clock
from poolspec.lab.threads.load import Load
from poolspec.lab.threads.pool import ThreadsContext
from poolspec.lab.threads.waiting import wait_until

__tracebackhide__ = True  # a failure is shown where the test failed


def run_in_executor(context: ThreadsContext, load: Load, name: str, terms: LoadTerms) -> LoadResult:
    """Run a load in an executor with one worker for each client, until all tasks are done."""
    planned = context.loads.plan(name, terms)
    run = ExecutorRun(context.clock, context.log, terms["clients"], planned.prefix)
    run.run(load.borrowers(planned, terms), planned.supply.all())
    return context.loads.sum_up(planned)


class ExecutorRun:
    """Runs tasks in an executor, on a clock that counts the threads that can run.

    A worker counts while there is a task for it. So at any time as many threads count as there are
    unfinished tasks, up to the number of workers.
    """

    def __init__(self, clock: Clock, log: Log, workers: int, name: str) -> None:
        self._clock, self._log = clock, log
        self._workers = workers
        self._name = name
        self._lock = threading.Lock()
        self._unfinished = 0

    def run(self, worker: Worker, tasks: Iterable[Task]) -> None:
        """Do all tasks. Raises the first error that is neither the pool's nor its driver's."""
        with ThreadPoolExecutor(self._workers, thread_name_prefix=self._name) as executor:
            futures = [self._submit(executor, worker, task) for task in tasks]
            wait_until(self._log, self._clock, lambda: self._unfinished == 0)
        for future in futures:
            future.result()

    def _submit(self, executor: ThreadPoolExecutor, worker: Worker, task: Task) -> Future[None]:
        with self._lock:
            if self._unfinished < self._workers:
                self._clock.enter()
            self._unfinished += 1
        return executor.submit(self._do, worker, task)

    def _do(self, worker: Worker, task: Task) -> None:
        try:
            worker.do(task, task.number % self._workers)
        finally:
            with self._lock:
                self._unfinished -= 1
                idle = self._unfinished < self._workers
            self._log.add("task_done")
            if idle:
                self._clock.leave()
