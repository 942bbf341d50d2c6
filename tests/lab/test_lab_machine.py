"""A throughput is judged again without the time in which the machine was busy."""

import os
import subprocess
import sys
import threading
import time

import pytest

from poolspec.lab.comparisons import more_than
from poolspec.lab.load.machine import Spent
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


def test_a_pool_that_waits_by_itself_is_not_excused() -> None:
    before = Spent.so_far()
    threading.Event().wait(0.5)
    assert Spent.so_far().since(before).waited < 0.25


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
        before, end = Spent.so_far(), time.monotonic() + 0.5
        while time.monotonic() < end:
            pass
        spent = Spent.so_far().since(before)
    finally:
        os.sched_setaffinity(0, mine)
        for rival in rivals:
            rival.kill()
            rival.communicate()
    assert spent.cpu > 0
    assert 0.1 < spent.waited < 1.0
