"""The probe reports a thread as blocked only while it waits for a lock that is not yet released."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from poolspec.invariants.observer import settle
from poolspec.witness.probe import LOOKS, SILENT, FrameProbe, Probe, SystemProbe, ThreadId, probe

MANY = 100


@pytest.fixture
def system() -> Iterator[SystemProbe]:
    found = probe()
    if not isinstance(found, SystemProbe):
        pytest.skip("the kernel does not report what threads do")
    yield found
    found.close()


@contextmanager
def doing(work: Callable[[], object]) -> Iterator[ThreadId]:
    """Run work in a thread within the block; the caller makes it end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert thread.ident is not None
    assert thread.native_id is not None
    try:
        yield ThreadId(thread.ident, thread.native_id)
    finally:
        thread.join(10)
        assert not thread.is_alive()


def blocks(finder: Probe, thread: ThreadId) -> bool:
    finder.watch([thread])
    return settle(lambda: bool(finder.blocked([thread])), lambda seen: seen)


@pytest.mark.parametrize("limit", [-1, 60], ids=["without a limit", "with a limit"])
def test_a_thread_that_waits_for_a_lock_is_blocked(system: SystemProbe, limit: float) -> None:
    lock = threading.Lock()
    lock.acquire()
    with doing(lambda: lock.acquire(timeout=limit)) as thread:
        assert blocks(system, thread)
        lock.release()


def test_a_thread_is_no_longer_blocked_once_its_lock_is_released(system: SystemProbe) -> None:
    for _ in range(200):
        lock = threading.Lock()
        lock.acquire()
        with doing(lock.acquire) as thread:
            assert blocks(system, thread)
            lock.release()
            assert not system.blocked([thread])


def test_a_thread_that_waits_for_the_gil_is_not_blocked(system: SystemProbe) -> None:
    over = threading.Event()

    def spin() -> None:
        while not over.is_set():
            pass

    with ExitStack() as stack:
        threads = [stack.enter_context(doing(spin)) for _ in range(6)]
        system.watch(threads)
        deadline = time.monotonic() + 0.5
        seen: set[ThreadId] = set()
        while time.monotonic() < deadline:
            seen |= system.blocked(threads)
        over.set()
    assert not seen


def test_a_thread_that_waits_for_a_socket_or_sleeps_is_not_blocked(system: SystemProbe) -> None:
    here, there = socket.socketpair()
    with here, there, doing(lambda: here.recv(1)) as reader, doing(lambda: time.sleep(0.2)) as one:
        system.watch([reader, one])
        deadline = time.monotonic() + 0.1
        while time.monotonic() < deadline:
            assert not system.blocked([reader, one])
        there.send(b"x")


def test_a_thread_that_has_ended_is_not_blocked(system: SystemProbe) -> None:
    lock = threading.Lock()
    lock.acquire()
    with doing(lock.acquire) as thread:
        assert blocks(system, thread)
        lock.release()
    assert not system.blocked([thread])


def test_a_look_at_many_threads_takes_less_than_a_switch_interval(system: SystemProbe) -> None:
    gate = threading.Lock()
    gate.acquire()

    def pass_gate() -> None:
        with gate:
            pass

    with ExitStack() as stack:
        threads = [stack.enter_context(doing(pass_gate)) for _ in range(MANY)]
        system.watch(threads)
        settle(lambda: len(system.blocked(threads)), MANY.__eq__)
        took = []
        for _ in range(50):
            started = time.perf_counter()
            assert len(system.blocked(threads)) == MANY
            took.append(time.perf_counter() - started)
        gate.release()
    assert min(took) < sys.getswitchinterval()


def test_frames_show_a_blocked_thread_after_some_time() -> None:
    clock = iter([0.0] * (LOOKS - 1) + [SILENT, SILENT])
    frames = FrameProbe(now=lambda: next(clock))
    lock = threading.Lock()
    lock.acquire()
    waits = threading.Event()

    def wait() -> None:
        waits.set()
        lock.acquire()

    with doing(wait) as thread:
        waits.wait()
        system = probe()
        assert isinstance(system, FrameProbe) or blocks(system, thread)
        system.close()
        for _ in range(LOOKS - 1):
            assert not frames.blocked([thread])
        assert frames.blocked([thread]) == {thread}
        lock.release()
    assert not frames.blocked([thread])


def test_frames_show_no_thread_that_moves() -> None:
    frames = FrameProbe()
    over = threading.Event()

    def spin() -> None:
        while not over.is_set():
            pass

    with doing(spin) as thread:
        deadline = time.monotonic() + 2 * SILENT
        while time.monotonic() < deadline:
            assert not frames.blocked([thread])
            time.sleep(0.001)
        over.set()
