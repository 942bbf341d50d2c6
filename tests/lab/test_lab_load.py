"""The spec determines the tasks of a load, not chance, and the result is checked."""

from collections import Counter

import pytest

from poolspec.lab.comparisons import at_most, less_than
from poolspec.lab.load.result import LoadResult, percentile
from poolspec.lab.load.tasks import Stream, plan
from poolspec.vocabulary import ErrorKind, Operation


def test_counts_by_kind_are_kept_exactly() -> None:
    tasks = plan({Operation.READ: 60, Operation.WRITE: 40}, None, None)
    assert Counter(task.kind for task in tasks) == {Operation.READ: 60, Operation.WRITE: 40}


def test_shares_are_spread_evenly_over_the_run() -> None:
    tasks = plan({Operation.READ: 3, Operation.WRITE: 1}, 40, None)
    for start in range(0, 40, 4):
        quarter = Counter(task.kind for task in tasks[start : start + 4])
        assert quarter == {Operation.READ: 3, Operation.WRITE: 1}


def test_hold_times_stay_in_their_range_and_differ() -> None:
    holds = [task.hold for task in plan({Operation.BORROW: 1}, 50, (0.1, 0.3))]
    assert all(0.1 <= hold <= 0.3 for hold in holds)
    assert len(set(holds)) == 50


def test_numbers_continue_where_an_earlier_load_ended() -> None:
    assert [task.number for task in plan({Operation.WRITE: 1}, 3, None, first=7)] == [7, 8, 9]


def test_a_stream_runs_until_it_is_stopped_and_shares_no_number() -> None:
    first, second = (Stream({Operation.WRITE: 1}, None, n, 2) for n in (10, 11))
    assert [first.popleft().number for _ in range(3)] == [10, 12, 14]
    assert [second.popleft().number for _ in range(3)] == [11, 13, 15]
    assert first
    first.stop()
    assert not first
    assert second


def test_an_error_of_another_kind_is_reported() -> None:
    result = LoadResult(errors=Counter({ErrorKind.LOST: 2, ErrorKind.QUERY: 1}))
    result.expect_only_errors(ErrorKind.LOST, ErrorKind.QUERY)
    with pytest.raises(AssertionError, match=r"no errors but lost; there were: \{'query': 1\}"):
        result.expect_only_errors(ErrorKind.LOST)


@pytest.mark.parametrize(("name", "value"), [("p50", 50), ("p99", 99), ("p99.9", 100), ("p1", 1)])
def test_percentiles_are_of_the_nearest_rank(name: str, value: int) -> None:
    assert percentile(range(1, 101), name) == value


def test_a_lost_write_fails_the_expectation() -> None:
    result = LoadResult(succeeded=3, lost_writes=1)
    with pytest.raises(AssertionError, match="lost_writes: expected 0, was 1"):
        result.expect(succeeded=3, lost_writes=0)


def test_errors_are_counted_by_kind() -> None:
    result = LoadResult(succeeded=1, errors=Counter({ErrorKind.TIMEOUT: 3}))
    result.expect(failed=3, operations=4, success_rate=0.25)
    result.expect_errors({ErrorKind.TIMEOUT: 3, ErrorKind.CLOSED: 0})
    with pytest.raises(AssertionError, match="timeout: expected 2, was 3"):
        result.expect_errors({ErrorKind.TIMEOUT: 2})


def test_latency_is_checked_by_mean_maximum_and_percentiles() -> None:
    result = LoadResult(succeeded=4, seconds=[0.4, 0.1, 0.2, 0.3])
    result.expect_latency({"mean": 0.25, "max": at_most(0.4), "p50": 0.2})
    with pytest.raises(AssertionError, match=r"max: expected < 0\.4, was 0\.4"):
        result.expect_latency({"max": less_than(0.4)})


def test_a_load_reports_its_throughput_and_latency() -> None:
    result = LoadResult(succeeded=4, seconds=[0.1, 0.2, 0.3, 0.4], elapsed=2.0)
    told = result.figures()
    assert (told["operations"], told["throughput"], told["mean"]) == (4, 2.0, 0.25)
    assert (told["p50"], told["p99.9"], told["max"]) == (0.2, 0.4, 0.4)


def test_a_load_without_success_has_no_latency() -> None:
    with pytest.raises(AssertionError, match="no operation succeeded"):
        LoadResult().expect_latency({"mean": less_than(1)})
