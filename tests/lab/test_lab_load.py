"""The spec determines the tasks of a load, not chance, and the result is checked."""

import sys
from collections import Counter
from itertools import pairwise

import pytest

from poolspec.lab.comparisons import at_most, less_than
from poolspec.lab.load.arrivals import arrivals
from poolspec.lab.load.latencies import BUFFER, Latencies
from poolspec.lab.load.loads import extent_of, kinds_of
from poolspec.lab.load.numbers import SPAN, Numbers
from poolspec.lab.load.result import LoadResult, jain
from poolspec.lab.load.supply import Extent, Supply
from poolspec.lab.load.tasks import Task, Tasks, filled_in
from poolspec.lab.load.terms import LoadTerms
from poolspec.vocabulary import Arrivals, ErrorKind, Operation


def plan(tasks: Tasks, count: int) -> list[Task]:
    """Return the first tasks."""
    return [tasks.task(n) for n in range(count)]


class Time:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0


def supply(extent: Extent, rate: float | None = None) -> tuple[Supply, Time]:
    """Return the supply of a load of writes, and its clock."""
    time, due = Time(), None if rate is None else arrivals(rate)
    return Supply(Tasks({Operation.WRITE: 1}), extent, lambda: time.now, due), time


def result_of(
    *seconds: float, errors: dict[ErrorKind, int] | None = None, elapsed: float = 0.0
) -> LoadResult:
    """Return a result with operations that took so long, and others that failed."""
    result = LoadResult(elapsed=elapsed)
    for each in seconds:
        result.note_success(each)
    for kind, count in (errors or {}).items():
        for _ in range(count):
            result.note_error(kind)
    return result


def test_counts_by_kind_are_kept_exactly() -> None:
    terms: LoadTerms = {"clients": 1, "operations": {Operation.READ: 60, Operation.WRITE: 40}}
    tasks = plan(Tasks(kinds_of(terms)), extent_of(terms).total or 0)
    assert Counter(task.kind for task in tasks) == {Operation.READ: 60, Operation.WRITE: 40}


def test_shares_are_spread_evenly_over_the_run() -> None:
    tasks = plan(Tasks({Operation.READ: 3, Operation.WRITE: 1}), 40)
    for start in range(0, 40, 4):
        quarter = Counter(task.kind for task in tasks[start : start + 4])
        assert quarter == {Operation.READ: 3, Operation.WRITE: 1}


def test_hold_times_stay_in_their_range_and_differ() -> None:
    holds = [task.hold for task in plan(Tasks({Operation.BORROW: 1}, (0.1, 0.3)), 50)]
    assert all(0.1 <= hold <= 0.3 for hold in holds)
    assert len(set(holds)) == 50


def test_think_times_do_not_follow_hold_times() -> None:
    tasks = plan(Tasks({Operation.BORROW: 1}, (0.0, 1.0), (0.0, 1.0)), 50)
    assert len({task.hold > task.think for task in tasks}) == 2


def test_numbers_continue_where_an_earlier_load_ended() -> None:
    tasks = plan(Tasks({Operation.WRITE: 1}, first=7), 3)
    assert [task.number for task in tasks] == [7, 8, 9]


def test_a_load_without_end_runs_until_it_is_stopped_and_repeats_no_number() -> None:
    endless, _ = supply(Extent(2))
    assert [task.number for n in (0, 1, 0, 0, 1) if (task := endless.take(n))] == [0, 1, 2, 3, 4]
    endless.stop()
    assert endless.take(0) is None
    assert endless.take(1) is None


def test_each_client_does_its_own_operations() -> None:
    own, _ = supply(Extent(2, each=2))
    assert [task.number for _ in range(2) if (task := own.take(1))] == [1, 3]
    assert own.take(1) is None
    assert own.take(0) is not None


def test_operations_of_the_warm_up_come_first_and_do_not_count() -> None:
    warm, time = supply(Extent(1, total=2, warm_up_count=2))
    taken = []
    while task := warm.take(0):
        taken.append(task.counts)
        time.now += 1
    assert taken == [False, False, True, True]
    assert warm.elapsed() == 2


def test_operations_that_begin_in_the_time_of_the_warm_up_do_not_count() -> None:
    warm, time = supply(Extent(1, duration=2, warm_up_time=1))
    taken = []
    while task := warm.take(0):
        taken.append(task.counts)
        time.now += 0.5
    assert taken == [False, False, True, True, True, True]
    assert warm.elapsed() == 2


def test_clients_of_a_closed_load_start_one_after_another_during_its_ramp() -> None:
    ramped, _ = supply(Extent(4, total=4, ramp=2))
    assert [ramped.start_of(client) for client in range(4)] == [0, 0.5, 1, 1.5]


def test_an_open_load_has_as_many_operations_as_its_rate_says() -> None:
    steady, _ = supply(Extent(1, duration=2), rate=3)
    due = [task.due for _ in range(9) if (task := steady.take(0))]
    assert due == pytest.approx([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3])


def test_arrivals_that_no_client_was_free_for_are_counted_when_the_load_ends() -> None:
    late, time = supply(Extent(1, duration=1), rate=10)
    assert late.take(0) is not None
    time.now = 1.0
    assert late.take(0) is None
    assert late.not_started == 9


def test_arrivals_that_were_due_before_the_stop_are_counted() -> None:
    stopped, time = supply(Extent(2), rate=10)
    waiting = stopped.take(0)
    time.now = 0.35
    stopped.stop()
    assert stopped.not_started == 3
    assert waiting is not None
    time.now = 0.4
    stopped.put_back(waiting)
    assert stopped.not_started == 4


def test_no_arrival_is_due_after_the_last_operation_of_an_open_load() -> None:
    limited, time = supply(Extent(2, total=3), rate=10)
    assert [limited.take(0) is None for _ in range(4)] == [False, False, False, True]
    time.now = 5
    limited.stop()
    assert limited.not_started == 0


def test_the_rate_rises_from_nothing_during_the_ramp() -> None:
    times = [at for at, _ in zip(arrivals(10, ramp=2), range(20), strict=False)]
    assert sum(at < 1 for at in times) == 3  # a quarter of those of the whole ramp, rounded up
    assert sum(at < 2 for at in times) == 10
    assert [later - earlier for earlier, later in pairwise(times[10:])] == pytest.approx([0.1] * 9)


def test_poisson_arrivals_have_the_rate_and_are_the_same_for_a_seed() -> None:
    def some(seed: int) -> list[float]:
        chance = arrivals(100, how=Arrivals.POISSON, seed=seed)
        return [at for at, _ in zip(chance, range(4000), strict=False)]

    times = some(1)
    assert times == some(1)
    assert times != some(2)
    assert times[-1] == pytest.approx(40, rel=0.05)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert sum(gap > 0.01 for gap in gaps) / len(gaps) == pytest.approx(0.368, abs=0.03)  # 1/e


def test_a_statement_has_the_numbers_of_its_operation_and_client() -> None:
    filled = filled_in("INSERT INTO t VALUES (:number, :client)", 7, 2)
    assert filled == "INSERT INTO t VALUES (7, 2)"
    assert filled_in("SELECT ':numbers', ':clients'", 7, 2) == "SELECT ':numbers', ':clients'"


def test_an_error_of_another_kind_is_reported() -> None:
    result = result_of(errors={ErrorKind.LOST: 2, ErrorKind.QUERY: 1})
    result.expect_only_errors(ErrorKind.LOST, ErrorKind.QUERY)
    with pytest.raises(AssertionError, match=r"no errors but lost; there were: 1 × query$"):
        result.expect_only_errors(ErrorKind.LOST)


def test_a_failure_shows_the_first_error_of_each_kind() -> None:
    result = result_of(errors={ErrorKind.TIMEOUT: 1})
    for number in (1, 2):
        result.note_error(ErrorKind.QUERY, Operation.READ, f"syntax error {number}")
    shown = r"\(errors: 1 × timeout; 2 × query, the first: syntax error 1\)$"
    with pytest.raises(AssertionError, match=f"^failed: expected 0, was 3 {shown}"):
        result.expect(failed=0)
    with pytest.raises(AssertionError, match=r"there were: 2 × query, the first: syntax error 1$"):
        result.expect_only_errors(ErrorKind.TIMEOUT)
    with pytest.raises(AssertionError, match=f"^query: expected 0, was 2 {shown}"):
        result.expect_errors({ErrorKind.QUERY: 0})
    with pytest.raises(AssertionError, match=r"^operations: expected 1, was 0 \(errors: none\)$"):
        LoadResult().expect(operations=1)


def test_percentiles_are_those_of_an_hdr_histogram() -> None:
    latencies = Latencies()
    for value in range(1, 101):
        latencies.note(value)
    figures = latencies.figures()
    ranked = [figures[name] for name in ("p50", "p90", "p95", "p99", "p99.9")]
    assert ranked == pytest.approx([50, 90, 95, 99, 100], rel=1e-3)


def test_times_that_are_all_the_same_have_exactly_that_percentile() -> None:
    latencies = Latencies()
    for _ in range(10):
        latencies.note(0.2)
    assert {round(value, 9) for value in latencies.figures().values()} == {0.2}


def test_the_memory_of_a_long_load_is_bounded() -> None:
    latencies = Latencies()
    for n in range(3 * BUFFER):
        latencies.note(n / BUFFER)
    assert sys.getsizeof(latencies._waiting) < 10 * BUFFER
    assert latencies.figures()["p50"] == pytest.approx(1.5, rel=1e-3)


def test_a_time_beyond_the_histogram_is_the_longest() -> None:
    latencies = Latencies()
    latencies.note(1e6)
    assert latencies.figures()["max"] == 1e6


def test_numbers_are_kept_in_blocks() -> None:
    numbers = Numbers()
    for number in (3, 0, SPAN + 1):
        numbers.add(number)
    assert list(numbers.blocks()) == [(0, SPAN, {0, 3}), (SPAN, 2 * SPAN, {SPAN + 1})]


def test_a_lost_write_fails_the_expectation() -> None:
    result = result_of(0.1, 0.1, 0.1)
    result.lost_writes = 1
    with pytest.raises(AssertionError, match="lost_writes: expected 0, was 1"):
        result.expect(succeeded=3, lost_writes=0)


def test_errors_are_counted_by_kind() -> None:
    result = result_of(0.1, errors={ErrorKind.TIMEOUT: 3})
    result.expect(failed=3, operations=4, success_rate=0.25)
    result.expect_errors({ErrorKind.TIMEOUT: 3, ErrorKind.CLOSED: 0})
    with pytest.raises(AssertionError, match="timeout: expected 2, was 3"):
        result.expect_errors({ErrorKind.TIMEOUT: 2})


def test_latency_is_checked_by_mean_maximum_and_percentiles() -> None:
    result = result_of(0.4, 0.1, 0.2, 0.3)
    result.expect_latency({"mean": 0.25, "max": at_most(0.4), "p50": at_most(0.2002)})
    with pytest.raises(AssertionError, match=r"max: expected < 0\.4, was 0\.4"):
        result.expect_latency({"max": less_than(0.4)})


def test_each_kind_of_operation_has_its_own_result() -> None:
    result = LoadResult(elapsed=2.0)
    result.note_success(0.1, Operation.READ)
    result.note_success(0.3, Operation.WRITE)
    result.note_error(ErrorKind.TIMEOUT, Operation.WRITE)
    result.expect(operations=3, failed=1)
    result.of(Operation.READ).expect(operations=1, failed=0, throughput=0.5)
    result.of(Operation.READ).expect_latency({"max": 0.1})
    result.of(Operation.WRITE).expect_errors({ErrorKind.TIMEOUT: 1})
    result.of(Operation.COMPLEX).expect(operations=0)
    with pytest.raises(AssertionError, match=r"^write: failed: expected 0, was 1 \(errors: "):
        result.of(Operation.WRITE).expect(failed=0)


def test_fairness_is_the_index_of_jain() -> None:
    assert jain([5, 5, 5, 5]) == 1
    assert jain([8, 0, 0, 0]) == 0.25
    result = LoadResult(clients=2)
    for client in (0, 0, 0, 1):
        result.note_success(0.1, Operation.READ, client)
    result.expect(fairness=0.8)


def test_a_load_reports_its_throughput_and_latency() -> None:
    result = result_of(0.1, 0.2, 0.3, 0.4, elapsed=2.0)
    told = result.figures()
    assert (told["operations"], told["throughput"], told["mean"]) == (4, 2.0, 0.25)
    assert (told["p50"], told["p99.9"], told["max"]) == (pytest.approx(0.2, rel=1e-3), 0.4, 0.4)


def test_a_load_reports_the_figures_of_each_kind() -> None:
    result = LoadResult("traffic", elapsed=2.0)
    result.note_success(0.1, Operation.READ)
    result.note_error(ErrorKind.TIMEOUT, Operation.WRITE)
    told = result.figures()
    assert (told["load"], told["failed"], told["not_started"]) == ("traffic", 1, 0)
    assert told["kinds"]["read"]["p99"] == 0.1
    assert told["kinds"]["write"] == {"operations": 0, "failed": 1, "throughput": 0.0}


def test_a_load_without_success_has_no_latency() -> None:
    with pytest.raises(AssertionError, match="no operation succeeded"):
        LoadResult().expect_latency({"mean": less_than(1)})
