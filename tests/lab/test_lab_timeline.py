"""The time line of a test, as the lab makes it from its log."""

import tracemalloc
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolspec.invariants.log import Entry, Log
from poolspec.invariants.marks import (
    CONNECT_FAILED,
    CONNECT_HELD,
    CONNECT_STARTED,
    FAULT,
    HEALED,
    NUMBERS_VOID,
    OPERATION_FAILED,
    SEEN_WAITING,
    SOCKET_CLOSED,
    SOCKET_OPENED,
    SOCKET_REOPENED,
)
from poolspec.vocabulary import EventKind
from poolspec.vocabulary.timeline import (
    BRIEF,
    MOST_ERRORS,
    MOST_LINES,
    MOST_POINTS,
    MOST_POOLS,
    Series,
)
from poolspec.witness.bins import Bins
from poolspec.witness.sizes import Figures
from poolspec.witness.timeline import Timeline, timeline_of

ASKS, GETS = EventKind.CHECKOUT_STARTED, EventKind.CHECKED_OUT
FAILS, RETURNS = EventKind.CHECKOUT_FAILED, EventKind.CHECKED_IN


def entry(
    at: float,
    kind: str,
    connection: int | None = None,
    ticket: int | None = None,
    *,
    pool: int = 1,
    detail: str = "",
    was: int | None = None,
    by_pool: bool = False,
    actor: str = "main",
) -> Entry:
    return Entry(
        at,
        actor,
        kind,
        by_pool=by_pool,
        pool=pool,
        connection=connection,
        ticket=ticket,
        detail=detail,
        was=was,
    )


def logged(entries: Iterable[Entry], ended: float) -> Log:
    log = Log(lambda: ended)
    for one in entries:
        log.append(one)
    return log


def timeline(*entries: Entry, ended: float = 10.0, **options: object) -> Timeline:
    pools: dict[int, int | None] = {1: 5}
    return timeline_of(logged(entries, ended), pools, began=0.0, **options)  # type: ignore[arg-type]


def figures_at(made: Timeline, at: float) -> dict[str, float]:
    """The figures of the first pool at a time: in use, idle, pending, waiting."""
    points = [point for point in made.courses[0].points if point.at <= at]
    return dict(zip(Series, points[-1].mean, strict=True))


# --- figures -------------------------------------------------------------------------------------


def test_a_connection_is_pending_then_idle_then_in_use_then_idle_and_then_gone() -> None:
    made = timeline(
        entry(1, CONNECT_STARTED),
        entry(2, SOCKET_OPENED, 7),
        entry(3, GETS, 7, ticket=1),
        entry(4, RETURNS, 7, ticket=2),
        entry(5, SOCKET_CLOSED, 7),
    )
    seen = [(p.at, tuple(p.mean)[:3]) for p in made.courses[0].points]
    assert seen == [
        (0, (0, 0, 0)),
        (1, (0, 0, 1)),
        (2, (0, 1, 0)),
        (3, (1, 0, 0)),
        (4, (0, 1, 0)),
        (5, (0, 0, 0)),
    ]


def test_an_acquire_waits_once_it_has_taken_a_millisecond() -> None:
    made = timeline(entry(1, ASKS, ticket=1), entry(2, GETS, 7, ticket=1))
    assert figures_at(made, 1 + BRIEF * 0.9)[Series.WAITING] == 0
    assert figures_at(made, 1 + BRIEF)[Series.WAITING] == 1
    assert figures_at(made, 2)[Series.WAITING] == 0


def test_an_acquire_that_returns_sooner_never_waits() -> None:
    made = timeline(entry(1, ASKS, ticket=1), entry(1 + BRIEF / 2, GETS, 7, ticket=1))
    assert max(point.most[3] for point in made.courses[0].points) == 0


def test_an_acquire_that_the_lab_sees_waiting_waits_at_once() -> None:
    made = timeline(entry(1, ASKS, ticket=1), entry(1, SEEN_WAITING, ticket=1))
    assert figures_at(made, 1)[Series.WAITING] == 1


@pytest.mark.parametrize("kind", [CONNECT_STARTED, CONNECT_HELD])
def test_an_acquire_that_connects_does_not_wait(kind: str) -> None:
    made = timeline(entry(1, ASKS, ticket=1), entry(1, kind, ticket=1))
    assert figures_at(made, 9) == dict(zip(Series, (0, 0, 1, 0), strict=True))


def test_an_acquire_whose_connect_failed_waits_again() -> None:
    begun = (entry(1, ASKS, ticket=1), entry(1, CONNECT_STARTED, ticket=1))
    made = timeline(*begun, entry(2, CONNECT_FAILED, ticket=1), entry(3, FAILS, ticket=1))
    assert figures_at(made, 2.5) == dict(zip(Series, (0, 0, 0, 1), strict=True))
    assert figures_at(made, 3)[Series.WAITING] == 0


def test_a_connect_that_fails_after_its_acquire_has_ended_leaves_no_waiter() -> None:
    begun = (entry(1, ASKS, ticket=1), entry(1, CONNECT_STARTED, ticket=1))
    made = timeline(*begun, entry(2, FAILS, ticket=1), entry(3, CONNECT_FAILED, ticket=1))
    assert figures_at(made, 9) == dict.fromkeys(Series, 0)


def test_an_acquire_that_never_returns_waits_to_the_end() -> None:
    made = timeline(entry(1, ASKS, ticket=1))
    assert made.courses[0].points[-1].mean[3] == 1


def test_a_loan_whose_socket_is_closed_is_not_in_use() -> None:
    made = timeline(
        entry(1, SOCKET_OPENED, 7),
        entry(2, GETS, 7),
        entry(3, SOCKET_CLOSED, 7),
        entry(4, RETURNS, 7),
    )
    assert figures_at(made, 2)[Series.IN_USE] == 1
    assert figures_at(made, 3) == figures_at(made, 4) == dict.fromkeys(Series, 0)


def test_a_connection_that_connects_again_stays_on_loan() -> None:
    made = timeline(
        entry(1, SOCKET_OPENED, 7),
        entry(2, GETS, 7),
        entry(3, SOCKET_CLOSED, 7),
        entry(3, SOCKET_REOPENED, 9, was=7),
        entry(4, RETURNS, 9),
    )
    assert figures_at(made, 3)[Series.IN_USE] == 1
    assert figures_at(made, 4) == dict(zip(Series, (0, 1, 0, 0), strict=True))


def test_a_number_that_a_restarted_server_gives_again_is_another_connection() -> None:
    made = timeline(
        entry(1, SOCKET_OPENED, 7),
        entry(2, NUMBERS_VOID, pool=0),
        entry(3, SOCKET_OPENED, 7),
        entry(4, GETS, 7),
        entry(5, SOCKET_CLOSED, 7),
    )
    assert figures_at(made, 4) == dict(zip(Series, (1, 1, 0, 0), strict=True))
    assert figures_at(made, 5) == dict(zip(Series, (1, 0, 0, 0), strict=True))


def test_loans_of_a_web_application_are_those_that_its_pool_reports() -> None:
    entries = [
        entry(1, SOCKET_OPENED, 7),
        entry(2, GETS, 1, pool=0, by_pool=True),
        entry(3, RETURNS, 1, pool=0, by_pool=True),
    ]
    assert figures_at(timeline(*entries, reported=[1]), 2)[Series.IN_USE] == 1
    assert figures_at(timeline(*entries, reported=[1]), 3)[Series.IN_USE] == 0
    assert figures_at(timeline(*entries), 2)[Series.IN_USE] == 0


KINDS = st.sampled_from(["open", "close", "get", "return", "ask", "connect", "void"])


@given(st.lists(st.tuples(st.integers(0, 3), KINDS, st.integers(0, 5)), max_size=80))
@settings(deadline=None)
def test_in_use_and_idle_are_the_open_sockets_at_every_moment(
    events: list[tuple[int, str, int]],
) -> None:
    now, opened, on_loan = 0.0, [0] * 6, [0] * 6
    entries: list[Entry] = []
    counts: dict[float, tuple[int, int]] = {}
    names = {"open": SOCKET_OPENED, "close": SOCKET_CLOSED, "get": GETS, "return": RETURNS}
    for later, what, number in events:
        now += later
        if what == "open" and not opened[number]:
            opened[number] = 1
        elif what == "close" and opened[number]:
            opened[number] = 0
        elif what in ("get", "return") and on_loan[number] == (what == "return"):
            on_loan[number] = what == "get"
        elif what in ("open", "close", "get", "return", "void"):
            continue
        kind = names.get(what) or (ASKS if what == "ask" else CONNECT_STARTED)
        entries.append(entry(now, kind, number if what in names else None, ticket=len(entries)))
        both = sum(a and b for a, b in zip(opened, on_loan, strict=True))
        counts[now] = (both, sum(opened) - both)
    made = timeline(*entries, ended=now)
    if now:
        for at, known in counts.items():
            seen = figures_at(made, at)
            assert (seen[Series.IN_USE], seen[Series.IDLE]) == known


def test_acquires_releases_and_sockets_are_counted() -> None:
    made = timeline(
        entry(1, SOCKET_OPENED, 7),
        entry(2, GETS, 7, ticket=1),
        entry(3, RETURNS, 7, ticket=2),
        entry(3, GETS, 7, ticket=3),
        entry(4, SOCKET_CLOSED, 7),
        entry(4, SOCKET_REOPENED, 8, was=7),
    )
    totals = made.as_result()["pools"][0]["totals"]
    assert totals == {
        "acquired": [0, 0, 1, 2, 2],
        "released": [0, 0, 0, 1, 1],
        "opened": [0, 1, 1, 1, 2],
        "closed": [0, 0, 0, 0, 1],
    }


# --- thinning ------------------------------------------------------------------------------------

CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.tuples(*[st.integers(0, 30)] * 4)), min_size=1, max_size=120
)


@given(CHANGES, st.integers(1, 12))
@settings(deadline=None)
def test_thinned_points_keep_every_peak_and_the_area_under_each_figure(
    changes: Sequence[tuple[float, Figures]], number: int
) -> None:
    ordered = sorted(changes, key=lambda change: change[0])
    bins = Bins(0.0, 1.0, number)
    for n, (at, figures) in enumerate(ordered, 1):
        bins.take(at, figures, (n, 0, 0, 0))
    points = bins.points(1.0)
    assert len(points) <= number
    spans = [*(p.at for p in points), 1.0]
    for point, later in pairwise([*points, None]):
        ends = 2.0 if later is None else later.at
        sure, perhaps = (sum(at < ends + by for at, _ in ordered) for by in (-1e-9, 1e-9))
        assert point is not None
        assert sure <= point.totals[0] <= perhaps
    states = [(0.0, (0, 0, 0, 0)), *ordered, (1.0, (0, 0, 0, 0))]
    for which in range(4):
        assert max(p.most[which] for p in points) == max(f[which] for _, f in ordered)
        assert all(0 <= p.mean[which] <= p.most[which] + 1e-9 for p in points)
        exact = sum(now[1][which] * (then[0] - now[0]) for now, then in pairwise(states))
        area = sum(p.mean[which] * (spans[n + 1] - p.at) for n, p in enumerate(points))
        assert area == pytest.approx(exact, abs=1e-6)


def many(operations: int) -> Iterable[Entry]:
    yield entry(0, SOCKET_OPENED, 1)
    for n in range(operations):
        yield entry(n / 1000, ASKS, ticket=n)
        yield entry(n / 1000, GETS, 1, ticket=n)
        yield entry((n + 0.5) / 1000, RETURNS, 1, ticket=n + operations)


def test_a_long_load_has_few_points_and_takes_no_more_memory_than_a_short_one() -> None:
    peaks = []
    for operations in (1000, 1000, 8000):
        log = logged(many(operations), operations / 1000)
        tracemalloc.start()
        try:
            made = timeline_of(log, {1: 1}, began=0.0)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    points = made.courses[0].points
    assert len(points) == MOST_POINTS
    assert all(point.mean[0] == pytest.approx(0.5, abs=0.02) for point in points)
    assert peaks[-1] < peaks[1] + 50_000


def test_a_test_that_takes_no_time_is_in_the_order_of_its_events() -> None:
    made = timeline(
        entry(0, SOCKET_OPENED, 7),
        entry(0, ASKS, ticket=1),
        entry(0, GETS, 7, ticket=1),
        entry(0, FAULT, pool=0, detail="connection_killed"),
        entry(0, ASKS, ticket=2),
        entry(0, SEEN_WAITING, ticket=2),
        entry(0, RETURNS, 7, ticket=3),
        entry(0, FAILS, ticket=2, detail="E"),
        ended=0.0,
    ).as_result()
    assert (made["seconds"], made["events"]) == (0.0, 8)
    (pool,) = made["pools"]
    assert pool["points"] == {
        "at": [0.0, 2.0, 5.0, 6.0, 7.0],
        "in_use": [0, 1, 1, 0, 0],
        "idle": [1, 0, 0, 1, 1],
        "pending": [0, 0, 0, 0, 0],
        "waiting": [0, 0, 1, 1, 0],
    }
    assert made["faults"] == [{"fault": "connection_killed", "from": 3.0, "to": None}]
    assert made["errors"] == [{"at": 7.0, "pool": 1, "error": "acquire: E", "count": 1}]


def test_a_test_without_any_entry_has_an_empty_time_line() -> None:
    made = timeline_of(Log(lambda: 3.0), {})
    assert made.as_result() == {
        "seconds": 0.0,
        "pools": [],
        "pools_left_out": 0,
        "errors": [],
        "faults": [],
    }


def test_pools_share_the_points_and_the_last_ones_are_left_out() -> None:
    numbers = range(2, 12)
    entries = [entry(n / 100, SOCKET_OPENED, n, pool=n % 10 + 2) for n in range(1000)]
    log = logged(entries, 10.0)
    made = timeline_of(log, dict.fromkeys(numbers), began=0.0).as_result()
    assert [one["pool"] for one in made["pools"]] == [1, 2, 3, 4, 5, 6]
    assert made["pools_left_out"] == len(numbers) - MOST_POOLS
    assert sum(len(one["points"]["at"]) for one in made["pools"]) <= MOST_POINTS


# --- errors, faults and the end ------------------------------------------------------------------


def test_a_fault_lasts_until_it_is_healed() -> None:
    made = timeline(
        entry(1, FAULT, pool=0, detail="connect_refused"),
        entry(2, FAULT, pool=0, detail="idle_killed"),
        entry(3, HEALED, pool=0, detail="connect_refused"),
        entry(4, FAULT, pool=0, detail="connect_refused"),
    )
    assert made.as_result()["faults"] == [
        {"fault": "connect_refused", "from": 1, "to": 3},
        {"fault": "idle_killed", "from": 2, "to": None},
        {"fault": "connect_refused", "from": 4, "to": None},
    ]


def test_an_operation_whose_acquire_failed_is_one_error() -> None:
    made = timeline(
        entry(1, FAILS, ticket=1, detail="PoolTimeoutError", actor="a"),
        entry(1, OPERATION_FAILED, detail="timeout", actor="a"),
        entry(2, GETS, 7, ticket=2, actor="a"),
        entry(3, OPERATION_FAILED, detail="lost", actor="a"),
    )
    seen = [(one["error"], one["count"]) for one in made.as_result()["errors"]]
    assert seen == [("acquire: PoolTimeoutError", 1), ("operation: lost", 1)]


def test_errors_of_many_kinds_and_times_are_few_marks_that_count_them_all() -> None:
    errors = [entry(n / 1000, FAILS, ticket=n, detail=f"E{n % 50}") for n in range(10_000)]
    made = timeline(*errors)
    assert len(made.errors) <= MOST_ERRORS
    assert sum(mark.count for mark in made.errors) == 10_000
    assert "other" in {mark.error for mark in made.errors}


def test_each_line_of_a_table_has_the_errors_of_its_time() -> None:
    made = timeline(*(entry(n / 40 + 0.01, FAILS, ticket=n, detail="E") for n in range(400)))
    width = 10.0 / MOST_LINES
    assert [(int(mark.at / width), mark.count) for mark in made.errors] == [
        (line, 16) for line in range(MOST_LINES)
    ]


def test_work_of_the_lab_after_the_last_step_is_left_out() -> None:
    log = Log(lambda: 2.0)
    log.append(entry(1, SOCKET_OPENED, 7))
    log.note_end()
    log.append(entry(2, SOCKET_CLOSED, 7))
    made = timeline_of(log, {1: 1}, began=0.0)
    assert made.ended == 2.0
    assert made.courses[0].points[-1].mean == (0, 1, 0, 0)


def test_times_count_from_the_first_entry_of_a_real_clock() -> None:
    log = logged([entry(100, SOCKET_OPENED, 7), entry(101, SOCKET_CLOSED, 7)], 102.0)
    made = timeline_of(log, {1: 1}).as_result()
    assert (made["seconds"], made["pools"][0]["points"]["at"]) == (2.0, [0.0, 1.0])
