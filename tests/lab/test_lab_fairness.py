"""Starvation is proved by the lab's own log, and nothing less than the proof counts."""

import time

from poolspec.invariants.checks import findings_in_log
from poolspec.invariants.defects import Defect
from poolspec.invariants.fairness import overtaken, served, waiting
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import CONNECT_FAILED, INTERRUPTED, SEEN_WAITING
from poolspec.vocabulary import Capability, EventKind

FOUND = "starvation: late was served before early, which asked first"
TICKETS = {"early": 1, "late": 2, "third": 3}


def entry(kind: EventKind | str, actor: str, *, pool: int = 0, detail: str = "") -> Entry:
    return Entry(0.0, actor, kind, pool=pool, ticket=TICKETS[actor], detail=detail)


def begins(actor: str, pool: int = 0) -> Entry:
    return entry(EventKind.CHECKOUT_STARTED, actor, pool=pool)


def waits(actor: str, detail: str = "") -> Entry:
    return entry(SEEN_WAITING, actor, detail=detail)


def gets(actor: str, pool: int = 0) -> Entry:
    return entry(EventKind.CHECKED_OUT, actor, pool=pool)


def fails(actor: str) -> Entry:
    return entry(EventKind.CHECKOUT_FAILED, actor)


def releases(actor: str) -> Entry:
    return Entry(0.0, actor, EventKind.CHECKED_IN, ticket=9, connection=7)


def found(*entries: Entry, limit: int = 0) -> list[str]:
    return [str(finding) for finding in overtaken(entries, {0: limit})]


def test_a_waiter_that_still_waits_after_a_later_acquire_was_served_is_starved() -> None:
    log = (begins("early"), waits("early"), begins("late"), gets("late"), waits("early"))
    (finding,) = overtaken(log)
    assert str(finding) == FOUND
    assert finding.defect is Defect.STARVATION
    assert finding.events == log[1:]


def test_an_acquire_overtakes_without_ever_waiting_or_after_it_waited() -> None:
    before = (begins("early"), waits("early"), begins("late"))
    assert found(*before, waits("late"), gets("late"), waits("early")) == [FOUND]


def test_a_waiter_that_is_served_after_a_later_acquire_may_have_been_granted_first() -> None:
    assert not found(begins("early"), waits("early"), begins("late"), gets("late"), gets("early"))


def test_a_hand_out_overtakes_a_waiter_when_all_other_connections_are_on_loan() -> None:
    before = (begins("third"), gets("third"), begins("early"), waits("early"), begins("late"))
    assert found(*before, releases("third"), gets("late"), limit=1) == [FOUND]
    assert found(*before, gets("late"), gets("early"), limit=2) == [FOUND]
    assert not found(*before, releases("third"), gets("late"), gets("early"), limit=2)


def test_an_acquire_that_began_before_the_waiter_was_seen_overtakes_no_one() -> None:
    assert not found(begins("early"), begins("late"), waits("early"), gets("late"), waits("early"))


def test_a_waiter_seen_beside_other_calls_proves_nothing() -> None:
    later = (begins("late"), gets("late"))
    unsure = waits("early", "beside a release")
    assert not found(begins("early"), unsure, *later, waits("early"))
    assert not found(begins("early"), waits("early"), *later, unsure)


def test_a_waiter_that_tried_in_vain_to_connect_meanwhile_had_its_turn() -> None:
    lost = Entry(0.0, "early", "socket_closed", connection=7)
    failed = entry(CONNECT_FAILED, "early")
    before = (begins("early"), waits("early"), begins("late"))
    assert not found(*before, lost, gets("late"), waits("early"))
    assert not found(*before, failed, gets("late"), waits("early"))
    other = Entry(0.0, "third", "socket_closed", connection=7)
    assert found(*before, other, gets("late"), waits("early")) == [FOUND]


def test_waiters_are_compared_within_their_pool_and_their_round() -> None:
    before = (begins("early"), waits("early"))
    assert not found(*before, begins("late", pool=1), gets("late", pool=1), waits("early"))
    over = Entry(0.0, "main", INTERRUPTED)
    assert not found(*before, over, begins("late"), gets("late"), waits("early"))


def test_a_waiter_that_gave_up_and_asks_again_is_another_acquire() -> None:
    before = (begins("early"), waits("early"), begins("late"), fails("early"))
    assert not found(*before, begins("early"), gets("late"), waits("early"))


def test_a_pool_that_does_not_claim_fairness_is_not_checked_for_it() -> None:
    log = (begins("early"), waits("early"), begins("late"), gets("late"), waits("early"))
    assert list(findings_in_log(log, frozenset(Capability)))
    assert not list(findings_in_log(log, frozenset(Capability) - {Capability.FAIR_QUEUE}))


def test_twenty_thousand_waiters_are_judged_in_one_pass() -> None:
    kinds = (EventKind.CHECKOUT_STARTED, SEEN_WAITING)
    log = [Entry(0.0, f"a{n}", kind, ticket=n) for n in range(20_000) for kind in kinds]
    log += [Entry(0.0, f"a{n}", EventKind.CHECKED_OUT, ticket=n) for n in range(20_000)]
    started = time.process_time()
    assert not list(overtaken(log))
    assert served(log) == [f"a{n}" for n in range(20_000)]
    assert time.process_time() - started < 2


def test_the_log_shows_which_actors_wait_and_in_which_order_waiters_were_served() -> None:
    log = [begins("early"), begins("late"), begins("third"), waits("late"), waits("early", "x")]
    assert waiting(log) == ["late", "early"]
    log += [gets("third"), gets("early"), fails("late")]
    assert waiting(log) == []
    assert served(log) == ["early"]


def test_an_acquire_during_which_a_connection_is_released_counts_as_a_waiter() -> None:
    log = [begins("third"), gets("third"), begins("early"), waits("early"), begins("late")]
    log += [releases("third"), gets("early"), releases("early"), gets("late")]
    assert served(log) == ["early", "late"]
