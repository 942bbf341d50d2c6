"""Work divided among processes has the same results as in one process."""

import os
from collections.abc import Sequence

import pytest

from poolspec.sharing import MANY, in_batches


def doubled(items: Sequence[int]) -> list[int]:
    return [2 * item for item in items]


def flat(batches: list[list[int]]) -> list[int]:
    return [item for batch in batches for item in batch]


@pytest.mark.parametrize("count", [0, 1, MANY - 1, MANY, MANY + 1, 10 * MANY + 7])
def test_results_come_in_the_order_of_the_items(count: int) -> None:
    assert flat(in_batches(doubled, range(count))) == list(range(0, 2 * count, 2))


def test_few_items_stay_in_this_process() -> None:
    assert in_batches(lambda _: os.getpid(), range(MANY - 1)) == [os.getpid()]


def test_many_items_go_to_other_processes() -> None:
    assert os.getpid() not in in_batches(lambda _: os.getpid(), range(MANY))


@pytest.mark.parametrize("count", [3, 2 * MANY])
def test_an_error_of_the_work_is_raised(count: int) -> None:
    def refuse(items: Sequence[int]) -> None:
        raise LookupError(f"from {items[0]}")

    with pytest.raises(LookupError, match="from 0"):
        in_batches(refuse, range(count))


def test_progress_ends_with_all_items() -> None:
    counts: list[int] = []
    in_batches(doubled, range(2 * MANY), counts.append)
    assert counts == sorted(counts)
    assert counts[-1] == 2 * MANY
