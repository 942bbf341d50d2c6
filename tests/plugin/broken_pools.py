"""Pools so broken that a run of tests on them could hang, or crash.

Each test of `broken_suite.py` gets the pool that is named for it; tests without one a sound pool.
"""

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

import steadypool
from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.adapters.steady_asyncio import AsyncSteadypoolAdapter, _tied
from poolspec.lab.aio.contract import AsyncWiring
from poolspec.lab.contract import Options, Wiring


class TakesItsLockTwice(steadypool.ConnectionPool):
    def release(self, connection: Any) -> None:
        lock = threading.Lock()
        with lock, lock:
            super().release(connection)


class KeepsItsLock(steadypool.ConnectionPool):
    def release(self, connection: Any) -> None:
        self._monitor.lock.acquire()
        lock = threading.Lock()
        with lock, lock:
            super().release(connection)


class CatchesEverything(steadypool.ConnectionPool):
    def acquire(self, timeout: float | None = None) -> Any:
        while True:
            try:  # noqa: SIM105 - as pools have it
                time.sleep(60)
            except BaseException:
                pass


class TriesForEver(steadypool.ConnectionPool):
    def acquire(self, timeout: float | None = None) -> Any:
        while True:
            try:  # noqa: SIM105 - as pools have it
                self._clock.sleep(60)
            except Exception:
                pass


class HasNoFigures(steadypool.ConnectionPool):
    def get_stats(self) -> dict[str, int]:
        raise RuntimeError("no figures")


class CannotBeClosed(steadypool.ConnectionPool):
    def close(self, drain: float | None = 0) -> None:
        raise RuntimeError("no close")


class StartsThreads(steadypool.ConnectionPool):
    def acquire(self, timeout: float | None = None) -> Any:
        threading.Thread(target=threading.Event().wait, name="pool-worker").start()
        return super().acquire(timeout)


class SwallowsCancellations(steadypool.AsyncConnectionPool):
    async def acquire(self, timeout: float | None = None) -> Any:
        while True:
            try:  # noqa: SIM105 - as pools have it
                await asyncio.sleep(60)
            except BaseException:
                pass


class BlocksTheLoop(steadypool.AsyncConnectionPool):
    async def release(self, connection: Any) -> None:
        lock = threading.Lock()
        with lock, lock:
            pass

    async def close(self, drain: float | None = 0) -> None:
        threading.Event().wait()


class WaitsInAThread(steadypool.AsyncConnectionPool):
    async def acquire(self, timeout: float | None = None) -> Any:
        await asyncio.to_thread(threading.Event().wait)


BROKEN: Mapping[str, Any] = {
    "takes_its_lock_twice": TakesItsLockTwice,
    "keeps_its_lock": KeepsItsLock,
    "catches_everything": CatchesEverything,
    "tries_for_ever": TriesForEver,
    "has_no_figures": HasNoFigures,
    "cannot_be_closed": CannotBeClosed,
    "starts_threads": StartsThreads,
    "swallows_cancellations": SwallowsCancellations,
    "swallows_cancellations_in_a_task": SwallowsCancellations,
    "blocks_the_loop": BlocksTheLoop,
    "waits_in_a_thread": WaitsInAThread,
}


def of_this_test(sound: Any) -> Any:
    test = os.environ["PYTEST_CURRENT_TEST"].partition("::test_")[2].partition(" ")[0]
    return BROKEN.get(test, sound)


class AsyncAdapter(AsyncSteadypoolAdapter):
    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        kind = of_this_test(steadypool.AsyncConnectionPool)
        return await kind.open(**options, **_tied(wiring))


class Adapter(SteadypoolAdapter):
    name = "broken"
    asyncio = AsyncAdapter()

    def create(self, options: Options, wiring: Wiring) -> Any:
        return of_this_test(steadypool.ConnectionPool)(**options, **self._tied(wiring))
