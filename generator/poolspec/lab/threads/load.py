"""The crowd: load, from many clients that borrow or send requests, until done or until stopped."""

from collections.abc import Mapping

from poolspec.lab.load.tasks import REST, LoadResult
from poolspec.lab.threads.clients import (
    Clients,
    ExecutorRun,
    Habits,
    Visitors,
    run_in_threads,
    start_in_threads,
)
from poolspec.lab.threads.web import Visits
from poolspec.vocabulary import Operation, Runner, Via

__tracebackhide__ = True  # a failure is shown where the test failed


class Crowd(Visits):
    """Generated load."""

    def load(
        self,
        *,
        clients: int,
        operations: int | Mapping[Operation, int] | None = None,
        each: int | None = None,
        mix: Mapping[Operation, int] | None = None,
        hold: tuple[float, float] | None = None,
        timeout: float | None = None,
        via: Via = Via.ACQUIRE,
        runner: Runner = Runner.THREADS,
        requests: Mapping[str, int] | None = None,
    ) -> LoadResult:
        """Let `clients` clients do operations on the test's pool and wait until all are done.

        `operations` are shared out among the clients (a number, of the kinds of `mix`; or numbers
        by kind), `each` is for every client. `hold` is the range of seconds a connection is kept.
        Or they send `requests`, so many of each, to the web application.
        """
        if requests:
            return self._visit(clients, requests)
        load = self._traffic.lay_out(clients, operations, each, mix, hold)
        habits = Habits(via, timeout, self._clock, self._adapter.kind_of)
        crowd = Clients(self._only_pool(), habits, load.result)
        if runner is Runner.EXECUTOR:
            ExecutorRun(self._clock, self._log, clients, load.name).run(crowd, load.tasks)
        else:
            run_in_threads(self._crew, load.name, crowd, load.heaps)
        return self._traffic.sum_up(load)

    def start_load(
        self,
        *,
        clients: int,
        mix: Mapping[Operation, int] | None = None,
        hold: tuple[float, float] | None = None,
        timeout: float | None = None,
        via: Via = Via.ACQUIRE,
    ) -> LoadResult:
        """Let `clients` clients do operations of the kinds of `mix` until `stop_load`."""
        running = self._traffic.begin(clients, mix, hold)
        habits = Habits(via, timeout, self._clock, self._adapter.kind_of, REST)
        crowd = Clients(self._only_pool(), habits, running.result)
        start_in_threads(self._crew, running.name, crowd, running.streams)
        return running.result

    def stop_load(self, load: LoadResult) -> None:
        """End a load that goes on; wait until every client has finished its operation."""
        running = self._traffic.stop(load)
        self._crew.join(f"{running.name}-{n + 1}" for n in range(len(running.streams)))
        self._traffic.sum_up(running)

    def _visit(self, clients: int, requests: Mapping[str, int]) -> LoadResult:
        load = self._traffic.lay_out_requests(clients, requests)
        visitors = Visitors(self._ask, self._clock.now, load.result)
        run_in_threads(self._crew, load.name, visitors, load.heaps)
        return self._traffic.sum_up(load)
