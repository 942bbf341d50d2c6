"""Head-of-line blocking and deadlocks are read from the log, and nothing else is taken for them."""

from poolspec.invariants.blocking import UNFINISHED, blocked_behind_connects
from poolspec.invariants.deadlock import Stop, findings_of_stop
from poolspec.invariants.defects import Defect
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import (
    CONNECT_HELD,
    CONNECT_RESUMED,
    LATE_RELEASE,
    SOCKET_OPENED,
    SUSPENDED,
)
from poolspec.vocabulary import EventKind, Fault

STARTED, OUT, IN = EventKind.CHECKOUT_STARTED, EventKind.CHECKED_OUT, EventKind.CHECKED_IN


def entry(at: float, actor: str, kind: EventKind | str, ticket: int | None = None) -> Entry:
    return Entry(at, actor, kind, pool=1, ticket=ticket, connection=7)


OPENED = entry(0, "main", SOCKET_OPENED)
LENT = [OPENED, entry(0, "main", STARTED, 1), entry(0, "main", OUT, 1)]
ASKED = entry(0, "slow", STARTED, 2)
HELD, RESUMED = entry(0, "slow", CONNECT_HELD, 2), entry(9, "slow", CONNECT_RESUMED, 2)
RETURNED = entry(1, "main", IN, 3)


def late(at: float) -> Entry:
    return entry(at, "main", LATE_RELEASE, 3)


def found(*entries: Entry) -> list[str]:
    return [str(finding) for finding in blocked_behind_connects(entries)]


def test_a_release_that_ends_with_the_connect_of_another_was_blocked() -> None:
    said = found(*LENT, ASKED, HELD, RETURNED, RESUMED, late(9))
    assert said == ["head-of-line blocking: a release of main waited for the slow connect of slow"]


def test_a_release_that_ends_before_the_connect_was_slow_for_another_reason() -> None:
    assert not found(*LENT, ASKED, HELD, RETURNED, late(5), RESUMED)[1:]
    assert found(*LENT, ASKED, HELD, RETURNED, RESUMED, late(12)) == []


def test_the_release_of_the_connecting_call_itself_is_not_blocked() -> None:
    own = [one._replace(ticket=3) for one in (HELD, RESUMED)]
    assert found(*LENT, own[0], RETURNED, own[1], late(9)) == []


def test_another_fault_that_delays_releases_explains_a_slow_release() -> None:
    fault = Entry(0, "main", "fault", detail=Fault.ROLLBACK_SLOW)
    assert found(*LENT, fault, ASKED, HELD, RETURNED, RESUMED, late(9)) == []


def test_an_acquire_that_waits_while_a_connection_is_idle_was_blocked() -> None:
    asks, gets = entry(1, "other", STARTED, 4), entry(9, "other", OUT, 4)
    said = found(OPENED, ASKED, HELD, asks, RESUMED, gets)
    assert said == [
        "head-of-line blocking: an acquire of other waited although a connection was idle for the "
        "slow connect of slow"
    ]


def test_an_acquire_that_connects_itself_is_not_blocked() -> None:
    asks, gets = entry(1, "other", STARTED, 4), entry(9, "other", OUT, 4)
    own = entry(1, "other", CONNECT_HELD, 4)
    assert found(OPENED, ASKED, HELD, asks, own, RESUMED, gets) == []


def test_an_acquire_of_a_suspended_pool_is_not_blocked() -> None:
    asks, gets = entry(1, "other", STARTED, 4), entry(9, "other", OUT, 4)
    suspended = Entry(0, "main", SUSPENDED)
    assert found(OPENED, suspended, ASKED, HELD, asks, RESUMED, gets) == []


def stopped(stop: Stop) -> list[Defect]:
    return [finding.defect for finding in findings_of_stop(stop)]


def test_a_release_that_never_ends_is_a_deadlock() -> None:
    never = RETURNED._replace(kind=LATE_RELEASE, detail=UNFINISHED)
    assert stopped(Stop([*LENT, RETURNED], [never])) == [Defect.DEADLOCK]


def test_a_release_that_never_ends_behind_a_connect_is_head_of_line_blocking() -> None:
    never = RETURNED._replace(kind=LATE_RELEASE, detail=UNFINISHED)
    stop = Stop([*LENT, ASKED, HELD, RETURNED], [never])
    assert stopped(stop) == [Defect.HEAD_OF_LINE_BLOCKING]


def test_borrowers_that_all_wait_for_another_connection_are_a_deadlock() -> None:
    stop = Stop([*LENT, entry(0, "main", STARTED, 4)])
    assert stopped(stop) == [Defect.DEADLOCK]


def test_a_waiter_for_a_loan_of_an_actor_that_can_continue_is_no_deadlock() -> None:
    assert stopped(Stop([*LENT, entry(0, "other", STARTED, 4)])) == []


def test_a_waiter_that_may_be_connecting_is_no_deadlock() -> None:
    assert stopped(Stop([*LENT, entry(0, "main", STARTED, 4)], may_connect=True)) == []


def test_a_waiter_beside_an_idle_connection_has_lost_its_wake_up_if_all_wait() -> None:
    waits = [*LENT, RETURNED, entry(1, "other", STARTED, 4)]
    assert stopped(Stop(waits, is_certain=True)) == [Defect.LOST_WAKE_UP]
    assert stopped(Stop(waits)) == []


def test_a_blocked_event_loop_is_a_deadlock() -> None:
    (finding,) = findings_of_stop(Stop([*LENT, RETURNED], blocker="main"))
    assert finding.defect is Defect.DEADLOCK
    assert finding.events == (RETURNED,)
