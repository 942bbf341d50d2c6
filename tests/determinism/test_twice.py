"""Two runs of a test on virtual time have equal event logs, as far as its actors allow."""

from pathlib import Path

import pytest
from tests.forked_runs import ForkedRuns

from poolspec.determinism.comparison import Sameness, lines_of, required, sameness
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import CONNECT_FAILED, INTERRUPTED, NUMBERS_VOID
from poolspec.vocabulary import EventKind

OUT, IN, FAILED = EventKind.CHECKED_OUT, EventKind.CHECKED_IN, EventKind.CHECKOUT_FAILED
MODULE = """\
import pytest

from poolspec.lab import Lab

runs = []


class TestMine:
    @pytest.mark.spec("mine.it", covers=[], layer="integration"{options})
    def test_it(self, lab: Lab) -> None:
        runs.append(1)
        pool = lab.pool(size=1, max_overflow=0, timeout=1.0)
        for _ in runs:
            pool.acquire()
            pool.release_all()
"""


def entry(actor: str, kind: EventKind | str = OUT, connection: int = 0, at: float = 0.0) -> Entry:
    return Entry(at, actor, kind, connection=connection)


def compared(first: list[Entry], second: list[Entry]) -> Sameness:
    return sameness(lines_of(first), lines_of(second))


def test_the_numbers_of_connections_requests_and_unnamed_tasks_do_not_count() -> None:
    first = [Entry(0.0, "Task-7", OUT, connection=41, ticket=3), entry("main", IN, 41)]
    second = [Entry(0.0, "Task-90", OUT, connection=7, ticket=8), entry("main", IN, 7)]
    assert compared(first, second) is Sameness.ALL


def test_another_connection_counts() -> None:
    first = [entry("main", OUT, 1), entry("main", OUT, 2), entry("main", IN, 1)]
    second = [entry("main", OUT, 1), entry("main", OUT, 2), entry("main", IN, 2)]
    assert compared(first, second) is Sameness.ACTORS


def test_another_time_counts() -> None:
    assert compared([entry("main", at=1.0)], [entry("main", at=1.001)]) is Sameness.OUTCOMES


def test_the_order_of_two_actors_counts_only_for_the_whole_log() -> None:
    one, two = entry("one"), entry("two")
    assert compared([one, two], [two, one]) is Sameness.ACTORS


def test_the_members_of_an_actor_may_change_their_parts() -> None:
    first = [entry("load0-1", IN), entry("load0-2", FAILED)]
    second = [entry("load0-2", IN), entry("load0-1", FAILED)]
    assert compared(first, second) is Sameness.OUTCOMES
    assert compared(first, first[:1]) is Sameness.NOT


def test_another_number_of_outcomes_of_the_same_kinds_is_the_weakest_sameness() -> None:
    done = entry("other", IN)
    assert compared([done], [done, done]) is Sameness.KINDS


def test_the_numbers_of_a_restarted_server_do_not_count() -> None:
    killed = entry("main", NUMBERS_VOID)
    first = [entry("main", OUT, 9), killed, entry("main", IN, 9), entry("main", OUT, 4)]
    second = [entry("main", OUT, 4), killed, entry("main", IN, 4), entry("main", OUT, 4)]
    assert compared(first, second) is Sameness.ALL


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry("main"), entry("Task-3")], Sameness.ALL),
        ([entry("main"), entry("first")], Sameness.ACTORS),
        ([entry("main"), entry("load0-1"), entry("load0-2")], Sameness.OUTCOMES),
        ([entry("load0-1"), entry("load0-2", CONNECT_FAILED)], Sameness.NOT),
        ([entry("main"), entry("other"), entry("main", INTERRUPTED)], Sameness.KINDS),
        ([entry("main"), entry("main", INTERRUPTED)], Sameness.ALL),
    ],
)
def test_the_actors_of_a_test_decide_how_far_its_logs_must_be_equal(
    entries: list[Entry], expected: Sameness
) -> None:
    assert required(lines_of(entries)) is expected


@pytest.fixture
def output(tmp_path: Path, forked_runs: ForkedRuns, request: pytest.FixtureRequest) -> str:
    options, arguments = request.param
    (tmp_path / "test_mine.py").write_text(MODULE.replace("{options}", options))
    chosen = ("-p", "no:cacheprovider", "--server", "embedded", *arguments, "test_mine.py")
    return forked_runs.run(tmp_path, *chosen, within=tmp_path)[1]


@pytest.mark.parametrize("output", [("", ("--twice",))], indirect=True)
def test_a_test_whose_second_run_differs_fails_and_shows_where(output: str) -> None:
    assert "two runs do not have the same entries in the same order; they differ at entry" in output
    assert "first run, from entry" in output
    assert "second run, from entry" in output
    assert "       1  different" in output


@pytest.mark.parametrize("output", [("", ()), (', time="real"', ("--twice",))], indirect=True)
def test_without_the_option_or_in_real_time_a_test_runs_once(output: str) -> None:
    assert "1 passed" in output
    assert "ran twice" not in output
