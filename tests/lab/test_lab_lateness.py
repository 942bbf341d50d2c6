"""A machine's delay excuses the same delay of a pool, and no more."""

import time

import pytest

from poolspec.lab import approx, at_most, between
from poolspec.lab.lateness import Lateness, lateness_beside
from poolspec.lab.threads.clock import RealClock
from poolspec.lab.timing import taking


def late(seconds: float) -> Lateness:
    lateness = Lateness()
    lateness.seconds = seconds
    return lateness


@pytest.mark.parametrize("taken", [0.6, 0.624, 0.65, 0.674])
def test_a_delay_that_the_machine_may_have_caused_is_excused(taken: float) -> None:
    assert late(0.05).mismatch(between(0.6, 0.624), taken) is None


def test_a_longer_delay_is_not_excused() -> None:
    said = late(0.05).mismatch(between(0.6, 0.624), 0.68)
    assert said == "took: expected 0.6..0.624, was 0.68 (the machine was up to 0.05 s late)"


def test_being_early_is_never_excused() -> None:
    assert late(0.5).mismatch(approx(1.0, rel=0.05), 0.9)


def test_a_punctual_machine_excuses_nothing() -> None:
    assert late(0.0).mismatch(at_most(0.624), 0.63) == "took: expected <= 0.624, was 0.63"


def test_a_control_thread_measures_during_a_block_in_real_time() -> None:
    until = time.monotonic() + 10
    with lateness_beside(RealClock()) as lateness:
        while not lateness.seconds and time.monotonic() < until:
            time.sleep(0.005)
    assert 0 < lateness.seconds < 10


def test_a_virtual_clock_is_never_late() -> None:
    with lateness_beside(object()) as lateness:
        time.sleep(0.02)
    assert lateness.seconds == 0


def test_a_pool_that_is_later_than_its_machine_fails() -> None:
    def is_noticed() -> bool:
        try:
            with taking(RealClock(), between(0.2, 0.208)):
                time.sleep(0.28)
        except AssertionError:
            return True
        return False

    assert any(
        is_noticed() for _ in range(20)
    )  # on a machine that stutters, one quiet attempt is enough
