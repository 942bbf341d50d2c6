"""A throughput is judged again without the time in which the machine was busy."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from poolspec.lab.comparisons import more_than
from poolspec.lab.load.machine import Spent, Usage
from poolspec.lab.load.result import LoadResult


def result(*, elapsed: float, waited: float) -> LoadResult:
    found = LoadResult(elapsed=elapsed, spent=Spent(0.5, waited))
    for _ in range(1000):
        found.note_success(0.001)
    return found


def test_a_throughput_is_judged_again_without_the_time_that_the_machine_kept() -> None:
    result(elapsed=2.0, waited=1.5).expect(throughput=more_than(1000))
    with pytest.raises(AssertionError, match="throughput: expected > 1000, was 666"):
        result(elapsed=2.0, waited=0.5).expect(throughput=more_than(1000))


@pytest.mark.parametrize(
    ("spent", "granted"),
    [
        (Spent(), 2.0),
        (Spent(cpu=1.0, waited=0.5), 1.5),
        (Spent(cpu=1.0, waited=0.5, server_cpu=0.1, server_waited=0.3), 1.125),
        (Spent(cpu=2.0, server_cpu=0.1, server_waited=0.3), 2.0),
    ],
)
def test_the_share_of_the_servers_wait_counts_while_this_process_does_nothing(
    spent: Spent, granted: float
) -> None:
    assert spent.granted(2.0) == granted


def read_elsewhere(usage: Usage) -> Spent:
    """Read it in another thread, as an asyncio test does."""
    with ThreadPoolExecutor() as threads:
        return threads.submit(usage.spent).result()


def test_a_pool_that_waits_by_itself_is_not_excused() -> None:
    usage = Usage()
    threading.Event().wait(0.5)
    assert usage.spent().waited < 0.25


def test_the_wait_for_a_cpu_and_the_use_of_one_are_seen() -> None:
    """Two processes that never rest share the CPU that this thread is bound to."""
    mine = os.sched_getaffinity(0)
    rivals: list[subprocess.Popen[bytes]] = []
    os.sched_setaffinity(0, {min(mine)})
    try:
        for _ in range(2):
            command = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
            rivals.append(subprocess.Popen(command, stdout=subprocess.PIPE))
            assert rivals[-1].stdout is not None
            rivals[-1].stdout.readline()
        usage, end = Usage(), time.monotonic() + 0.5
        while time.monotonic() < end:
            pass
        spent = read_elsewhere(usage)
    finally:
        os.sched_setaffinity(0, mine)
        for rival in rivals:
            rival.kill()
            rival.communicate()
    assert spent.cpu > 0
    assert 0.1 < spent.waited < 1.0


def test_the_use_of_a_cpu_by_the_server_is_seen() -> None:
    usage = Usage(os.getpid())
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        pass
    assert usage.spent().server_cpu > 0
    assert Usage(4194399).spent().server_cpu == 0
