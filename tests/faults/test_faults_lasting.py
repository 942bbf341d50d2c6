"""A fault that lasts for some time: it is healed after it, or when its actor is cancelled."""

from collections.abc import Iterator

import pytest

from poolspec.adapters import find_pool
from poolspec.lab import AsyncLab, ErrorKind, Fault, Lab
from poolspec.plugin.forms import AsyncioRun, ThreadsRun
from poolspec.vocabulary import Connections, TimeKind


@pytest.fixture
def threads() -> Iterator[ThreadsRun]:
    adapter = find_pool("steadypool").threads
    assert adapter is not None
    run = ThreadsRun(None, adapter, TimeKind.VIRTUAL, Connections.SCRIPTED)
    yield run
    run.dispose()


@pytest.fixture
def tasks() -> Iterator[AsyncioRun]:
    adapter = find_pool("steadypool").asyncio
    assert adapter is not None
    run = AsyncioRun(None, adapter, TimeKind.VIRTUAL, Connections.SCRIPTED)
    yield run
    run.dispose()


def logged(lab: Lab | AsyncLab) -> list[tuple[str, str, float]]:
    """Return the faults that the log shows, and when each began or was healed."""
    entries = lab.context.log.entries()
    return [(one.kind, one.detail, one.at) for one in entries if one.kind in ("fault", "healed")]


def test_a_fault_that_lasts_ends_with_its_time(threads: ThreadsRun) -> None:
    lab = threads.lab

    def body() -> None:
        pool = lab.pool(size=1, min_size=0, timeout=1.0)
        lab.fault(Fault.CONNECT_REFUSED, lasts=30.0)
        pool.acquire()

    threads.call(body)
    began = lab.context.log.entries()[0].at
    assert logged(lab) == [
        ("fault", "connect_refused", began),
        ("healed", "connect_refused", began + 30.0),
    ]


def test_others_feel_the_fault_while_it_lasts(threads: ThreadsRun) -> None:
    lab = threads.lab

    def body() -> None:
        pool = lab.pool(size=1, min_size=0, timeout=1.0)

        def outage() -> None:
            lab.fault(Fault.CONNECT_REFUSED, lasts=30.0)

        lab.start(outage)
        lab.advance(1.0)
        with lab.fails(ErrorKind.CONNECT):
            pool.acquire()
        lab.join("outage")
        lab.advance(1.0)
        pool.acquire()

    threads.call(body)


def test_a_fault_is_healed_when_its_actor_is_cancelled(tasks: AsyncioRun) -> None:
    lab = tasks.lab

    async def body() -> None:
        pool = await lab.pool(size=1, min_size=0, timeout=1.0)

        async def outage() -> None:
            await lab.fault(Fault.CONNECT_REFUSED, lasts=3600.0)

        lab.start(outage)
        await lab.advance(1.0)
        lab.cancel("outage")
        await lab.wait_until_done("outage")
        await pool.acquire()

    tasks.call(body)
    assert [kind for kind, _, _ in logged(lab)] == ["fault", "healed"]
