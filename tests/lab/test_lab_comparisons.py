"""A failed comparison is reported in the words of the spec."""

import pytest

from poolspec.lab.comparisons import (
    Expected,
    approx,
    at_least,
    at_most,
    between,
    less_than,
    mismatch,
    more_than,
    not_equal,
)


@pytest.mark.parametrize(
    ("expected", "good", "bad"),
    [
        (3, 3, 4),
        (at_most(3), 3, 4),
        (at_least(3), 3, 2),
        (less_than(3), 2, 3),
        (more_than(3), 4, 3),
        (between(1, 2), 2, 3),
        (not_equal(1), 2, 1),
        (approx(10.0, rel=0.05), 10.5, 10.51),
        (approx(10.0, rel=0.05), 9.5, 9.49),
        (approx(10.0, abs=1.0), 11.0, 11.1),
        (approx(-10.0, rel=0.1), -11.0, -11.1),
    ],
)
def test_a_comparison_accepts_the_right_numbers_only(
    expected: Expected, good: float, bad: float
) -> None:
    assert mismatch("n", expected, good) is None
    assert mismatch("n", expected, bad) is not None


def test_a_mismatch_names_the_expected_and_the_seen_number() -> None:
    assert mismatch("idle", at_most(2), 3) == "idle: expected <= 2, was 3"
    assert mismatch("idle", 2, 3) == "idle: expected 2, was 3"
