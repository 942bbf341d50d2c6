"""The sampler sees that an acquire waits, and is certain only where it has proof."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.lab.control_pools import ControlAdapter, FairPool

from poolspec.invariants.marks import SEEN_WAITING
from poolspec.lab.threads.actors import actor
from poolspec.lab.threads.lab import Lab
from poolspec.lab.threads.pool import Pool
from poolspec.vocabulary import Connections, TimeKind


@contextmanager
def a_lab(make: Callable[..., Any] = FairPool) -> Iterator[Lab]:
    lab = Lab(None, ControlAdapter(make), TimeKind.REAL, Connections.SCRIPTED)
    try:
        yield lab
        lab.verify()
    finally:
        lab.dispose()


def start_waiter(lab: Lab, pool: Pool) -> None:
    """Start an actor that acquires, and wait until it is seen waiting."""

    def waiter() -> None:
        pool.release(pool.acquire())

    lab.start(actor(waiter, name="waiter"))
    lab.wait_until_waiting("waiter")


def seen(lab: Lab) -> list[str]:
    """Return the details of the sights that were logged."""
    return [entry.detail for entry in lab.context.log.entries() if entry.kind == SEEN_WAITING]


def test_a_waiter_in_the_queue_is_seen_once_and_for_certain() -> None:
    with a_lab() as lab:
        pool = lab.pool(size=1, timeout=30.0)
        held = pool.acquire()
        start_waiter(lab, pool)
        lab.advance(0.1)
        assert seen(lab) == [""]
        pool.release(held)
        lab.join("waiter")


def test_a_waiter_that_is_about_to_enter_a_block_on_a_lock_is_not_certain() -> None:
    with a_lab() as lab:
        pool = lab.pool(size=1, timeout=30.0)
        with pool.raw._lock:
            start_waiter(lab, pool)
            lab.advance(0.1)
            assert set(seen(lab)) == {"beside other calls of the pool"}
        lab.join("waiter")


def test_a_waiter_beside_an_unknown_thread_that_runs_is_not_certain() -> None:
    over = threading.Event()

    def spin() -> None:
        while not over.is_set():
            pass

    with a_lab() as lab:
        pool = lab.pool(size=1, timeout=30.0)
        held = pool.acquire()
        helper = threading.Thread(target=spin, daemon=True)
        helper.start()
        try:
            start_waiter(lab, pool)
            lab.advance(0.1)
            assert set(seen(lab)) == {"beside other calls of the pool"}
        finally:
            over.set()
            helper.join()
        pool.release(held)
        lab.join("waiter")


def test_the_sampler_is_gone_after_the_test() -> None:
    with a_lab() as lab:
        lab.pool(size=1, timeout=30.0)
        assert "sampler" in [thread.name for thread in threading.enumerate()]
    assert "sampler" not in [thread.name for thread in threading.enumerate()]
