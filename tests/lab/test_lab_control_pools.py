"""Fair pools are never accused under load on the real clock, and a barging one always is."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.lab.control_pools import (
    BargingPool,
    ControlAdapter,
    FairPool,
    HelpedFairPool,
    LateFairPool,
)
from tests.lab.control_pools_asyncio import (
    AsyncBargingPool,
    AsyncControlAdapter,
    AsyncFairPool,
    AsyncHelpedFairPool,
)

from poolspec.invariants.defects import BrokenInvariantsError, Defect, Finding
from poolspec.invariants.marks import SEEN_WAITING
from poolspec.lab.threads.lab import Lab
from poolspec.plugin.forms import AsyncioRun
from poolspec.vocabulary import Connections, Operation, TimeKind

HOLD = (0.001, 0.003)


def loaded(make: Callable[..., Any], *, clients: int = 20, each: int = 10, size: int = 2) -> Lab:
    """Return a lab in which clients have used a pool."""
    lab = Lab(None, ControlAdapter(make), TimeKind.REAL, Connections.SCRIPTED)
    lab.pool(size=size, timeout=30.0)
    lab.load(clients=clients, each=each, mix={Operation.BORROW: 1}, hold=HOLD)
    return lab


@pytest.mark.parametrize("make", [FairPool, LateFairPool, HelpedFairPool])
def test_a_fair_pool_is_never_accused(make: Callable[..., Any]) -> None:
    lab = loaded(make)
    try:
        lab.verify()
    finally:
        lab.dispose()


def test_many_waiters_of_a_fair_pool_are_seen_for_certain() -> None:
    lab = loaded(FairPool, each=25)
    try:
        certain = [e for e in lab.context.log.entries() if e.kind == SEEN_WAITING and not e.detail]
        assert len(certain) > 20
    finally:
        lab.dispose()


def loaded_tasks(make: Callable[..., Any], each: int) -> list[Finding]:
    """Load a pool with tasks; return what it is accused of."""
    run = AsyncioRun(None, AsyncControlAdapter(make), TimeKind.REAL, Connections.SCRIPTED)

    async def test() -> None:
        await run.lab.pool(size=2, timeout=30.0)
        await run.lab.load(clients=20, each=each, mix={Operation.BORROW: 1}, hold=HOLD)

    try:
        run.call(test)
        assert any(e.kind == SEEN_WAITING and not e.detail for e in run.lab.context.log.entries())
    except BrokenInvariantsError as error:
        return list(error.findings)
    finally:
        run.dispose()
    return []


@pytest.mark.parametrize("make", [AsyncFairPool, AsyncHelpedFairPool])
def test_a_fair_pool_for_asyncio_passes(make: Callable[..., Any]) -> None:
    assert not loaded_tasks(make, each=10)


def test_a_barging_pool_for_asyncio_is_accused_of_starvation() -> None:
    found = loaded_tasks(AsyncBargingPool, each=25)
    assert {finding.defect for finding in found} == {Defect.STARVATION}


def test_a_barging_pool_is_accused_of_starvation() -> None:
    lab = loaded(BargingPool, each=25)
    try:
        with pytest.raises(BrokenInvariantsError) as raised:
            lab.verify()
        assert {finding.defect for finding in raised.value.findings} == {Defect.STARVATION}
    finally:
        lab.dispose()
