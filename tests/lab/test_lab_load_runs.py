"""Loads that run: on the real clock, ended early, and on drivers that lose what is committed."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.adapters.steady_asyncio import AsyncSteadypoolAdapter
from poolspec.adapters.steady_driver import SteadyDriver
from poolspec.adapters.steady_driver_asyncio import AsyncSteadyDriver
from poolspec.drivers.contract import AsyncDriver, Driver
from poolspec.invariants.defects import Defect
from poolspec.lab.comparisons import at_least
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.terms import LoadTerms
from poolspec.plugin.forms import AsyncioRun, ThreadsRun
from poolspec.servers import Server, ServerKind
from poolspec.servers.choice import start_server
from poolspec.vocabulary import (
    Connections,
    Operation,
    Runner,
    TimeKind,
    Via,
)

STALL = 0.06
"""Seconds for which the only connection is on loan."""
RATE = 400.0
OPERATIONS = 48
"""Half of them are due during the stall."""
WRITES = 6


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = start_server(ServerKind.EMBEDDED)
    yield started
    started.stop()


@pytest.fixture
def threads() -> Iterator[ThreadsRun]:
    run = ThreadsRun(None, SteadypoolAdapter(), TimeKind.REAL, Connections.SCRIPTED)
    yield run
    run.dispose()


@pytest.fixture
def tasks() -> Iterator[AsyncioRun]:
    run = AsyncioRun(None, AsyncSteadypoolAdapter(), TimeKind.REAL, Connections.SCRIPTED)
    yield run
    run.dispose()


STALLED: LoadTerms = {
    "clients": 30,
    "rate": RATE,
    "operations": OPERATIONS,
    "mix": {Operation.BORROW: 1},
}


def judge(load: LoadResult) -> None:
    """Check that the load was charged for the stall, however slow the machine is."""
    load.expect(succeeded=OPERATIONS, not_started=0)
    load.expect_latency({"max": at_least(STALL), "p90": at_least(STALL / 2)})


def test_an_open_load_is_charged_for_a_stall_in_real_time(threads: ThreadsRun) -> None:
    def test() -> None:
        lab = threads.lab
        pool = lab.pool(size=1, max_overflow=0, timeout=30.0)
        held = pool.acquire()
        load = lab.start_load(**STALLED)
        lab.context.clock.sleep(STALL)
        pool.release(held)
        while load.whole.succeeded < OPERATIONS:
            lab.context.clock.sleep(0.005)
        lab.stop_load(load)
        judge(load)

    threads.call(test)


def test_an_open_load_of_tasks_is_charged_for_a_stall_in_real_time(tasks: AsyncioRun) -> None:
    async def test() -> None:
        lab = tasks.lab
        pool = await lab.pool(size=1, max_overflow=0, timeout=30.0)
        held = await pool.acquire()
        load = lab.start_load(**STALLED)
        await lab.context.clock.sleep(STALL)
        await pool.release(held)
        while load.whole.succeeded < OPERATIONS:
            await lab.context.clock.sleep(0.005)
        await lab.stop_load(load)
        judge(load)

    tasks.call(test)


PAUSES: list[LoadTerms] = [
    {"clients": 3, "rate": 0.01, "mix": {Operation.BORROW: 1}},
    {"clients": 3, "think": (100.0, 100.0), "mix": {Operation.BORROW: 1}},
    {"clients": 3, "ramp": 300.0, "think": (100.0, 100.0), "mix": {Operation.BORROW: 1}},
]


@pytest.mark.parametrize("terms", PAUSES)
def test_the_end_of_a_load_ends_its_pauses(terms: LoadTerms, threads: ThreadsRun) -> None:
    started = time.monotonic()

    def test() -> None:
        threads.lab.pool(size=3, max_overflow=0, timeout=30.0)
        load = threads.lab.start_load(**terms)
        threads.lab.stop_load(load)
        load.expect(failed=0)

    threads.call(test)
    assert time.monotonic() < started + 50


@pytest.mark.parametrize("terms", PAUSES)
def test_the_end_of_a_load_of_tasks_ends_its_pauses(terms: LoadTerms, tasks: AsyncioRun) -> None:
    started = time.monotonic()

    async def test() -> None:
        await tasks.lab.pool(size=3, max_overflow=0, timeout=30.0)
        load = tasks.lab.start_load(**terms)
        await tasks.lab.stop_load(load)
        load.expect(failed=0)

    tasks.call(test)
    assert time.monotonic() < started + 50


class LosingDriver(SteadyDriver):
    """Acknowledges every commit and commits nothing."""

    def commit(self, connection: Any) -> None:
        connection.rollback()


class AsyncLosingDriver(AsyncSteadyDriver):
    """Acknowledges every commit and commits nothing."""

    async def commit(self, connection: Any) -> None:
        await connection.rollback()


class LosingAdapter(SteadypoolAdapter):
    driver: Driver = LosingDriver()


class AsyncLosingAdapter(AsyncSteadypoolAdapter):
    driver: AsyncDriver = AsyncLosingDriver()


WAYS: list[LoadTerms] = [
    {"clients": 2, "via": Via.ACQUIRE},
    {"clients": 2, "via": Via.WITH},
    {"clients": 2, "runner": Runner.EXECUTOR},
    {"clients": 2, "warm_up": WRITES - 1},
    {"clients": 2, "rate": 100.0},
]


def lossy(kind: Operation, way: LoadTerms) -> LoadTerms:
    """Return the terms of a load whose writes are lost; those of its warm-up are, too."""
    return {**way, "operations": WRITES - int(way.get("warm_up", 0)), "mix": {kind: 1}}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [Operation.WRITE, Operation.COMPLEX])
def test_every_lost_write_is_found(kind: Operation, way: LoadTerms, server: Server) -> None:
    run = ThreadsRun(server, LosingAdapter(), TimeKind.VIRTUAL, Connections.DRIVER)
    try:
        run.lab.pool(size=2, max_overflow=0, timeout=30.0)
        run.lab.load(**lossy(kind, way)).expect(failed=0, lost_writes=WRITES)
        (finding,) = run.lab.context.loads.lost_writes()
        assert finding.defect is Defect.LOST_WRITE
    finally:
        run.dispose()


@pytest.mark.parametrize("way", [way for way in WAYS if "runner" not in way])
@pytest.mark.parametrize("kind", [Operation.WRITE, Operation.COMPLEX])
def test_every_lost_write_of_tasks_is_found(
    kind: Operation, way: LoadTerms, server: Server
) -> None:
    run = AsyncioRun(server, AsyncLosingAdapter(), TimeKind.VIRTUAL, Connections.DRIVER)

    async def test() -> None:
        await run.lab.pool(size=2, max_overflow=0, timeout=30.0)
        (await run.lab.load(**lossy(kind, way))).expect(failed=0, lost_writes=WRITES)

    try:
        with pytest.raises(AssertionError, match="lost write: 6 committed rows are not in the"):
            run.call(test)
    finally:
        run.dispose()
