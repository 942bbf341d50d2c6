"""Broken rounds are reported together: each distinct defect once, with the rounds that show it."""

import pytest

from poolspec.interruption.broken_rounds import LIMIT, BrokenRounds
from poolspec.invariants.defects import BrokenInvariantsError, Defect, Finding, findings_of

LOST = Finding(Defect.LOST_SLOT, "the pool hands out 0 of 1 connections")
HELD = Finding(Defect.TWO_HOLDERS, "connection 7 went to b while a held it")


def raised(rounds: BrokenRounds, number: int, *, all_tried: bool = True) -> BrokenInvariantsError:
    with pytest.raises(BrokenInvariantsError) as caught:
        rounds.raise_all(number, all_tried=all_tried)
    return caught.value


def test_no_broken_round_raises_nothing() -> None:
    BrokenRounds().raise_all(7, all_tried=True)


def test_each_distinct_defect_is_listed_once_with_two_examples() -> None:
    rounds = BrokenRounds()
    for where in ("before recv", "after recv", "before send"):
        rounds.note(where, TimeoutError(), [LOST])
    rounds.note("after send", AssertionError(), [HELD])
    error = raised(rounds, 9)
    assert str(error).splitlines() == [
        f"{LOST}; in 3 of 9 rounds: before recv; after recv",
        f"{HELD}; in 1 of 9 rounds: after send",
    ]
    assert [one.defect for one in findings_of(error)] == [Defect.LOST_SLOT, Defect.TWO_HOLDERS]


def test_findings_that_differ_in_numbers_are_one() -> None:
    rounds = BrokenRounds()
    rounds.note("here", AssertionError(), [HELD])
    rounds.note("there", AssertionError(), [Finding(HELD.defect, HELD.text.replace("7", "8"))])
    assert str(raised(rounds, 3)) == f"{HELD}; in 2 of 3 rounds: here; there"


def test_errors_without_a_finding_are_listed_too() -> None:
    rounds = BrokenRounds()
    rounds.note("here", AssertionError("expected 1, got 2"), [])
    rounds.note("there", TimeoutError("no answer"), [LOST])
    assert "AssertionError: expected 1, got 2; in 1 of 2 rounds: here" in str(raised(rounds, 2))


def test_a_single_error_without_a_finding_is_raised_as_it_is() -> None:
    rounds, error = BrokenRounds(), ValueError("no such thing")
    rounds.note("here", error, [])
    with pytest.raises(ValueError, match="no such thing") as caught:
        rounds.raise_all(2, all_tried=True)
    assert caught.value is error


def test_the_time_for_rounds_after_a_broken_one_is_limited() -> None:
    now = 100.0
    rounds = BrokenRounds(lambda: now)
    assert not rounds.are_enough
    rounds.note("here", TimeoutError(), [LOST])
    assert not rounds.are_enough
    now += LIMIT + 0.1
    assert rounds.are_enough
    assert "only the first 4 points were tried" in str(raised(rounds, 4, all_tried=False))


def test_a_round_with_two_findings_of_one_defect_counts_once() -> None:
    rounds = BrokenRounds()
    rounds.note("here", AssertionError(), [HELD, Finding(HELD.defect, HELD.text.replace("7", "8"))])
    rounds.note("there", AssertionError(), [HELD])
    assert str(raised(rounds, 2)) == f"{HELD}; in 2 of 2 rounds: here; there"
