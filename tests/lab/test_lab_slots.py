"""Slots are counted where a pool may have lost one; the log says whether it is lost or leaked."""

from poolspec.invariants.defects import Defect
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import RESUMED, SUSPENDED
from poolspec.invariants.slots import is_barred, may_have_lost_slots, missing_slots
from poolspec.vocabulary import EventKind, Fault

LENT = Entry(0, "main", EventKind.CHECKED_OUT, connection=7)
RETURNED = Entry(0, "main", EventKind.CHECKED_IN, connection=7)
CANCELLED = Entry(0, "a", EventKind.CHECKOUT_FAILED, detail="CancelledError")
TIMED_OUT = Entry(0, "a", EventKind.CHECKOUT_FAILED, detail="TimeoutError")


def test_slots_are_not_counted_where_nothing_happened() -> None:
    assert not may_have_lost_slots([LENT, RETURNED])


def test_slots_are_counted_after_a_failed_acquire_and_after_a_fault() -> None:
    assert may_have_lost_slots([LENT, CANCELLED, RETURNED])
    assert may_have_lost_slots([Entry(0, "main", "fault", detail=Fault.CONNECT_REFUSED)])


def test_a_slot_that_is_missing_after_a_cancelled_acquire_is_lost() -> None:
    finding = missing_slots(0, 1, [LENT, CANCELLED, RETURNED])
    assert str(finding) == "lost slot: the pool hands out 0 of 1 connections"
    assert finding.events == (CANCELLED,)


def test_a_timeout_while_nothing_was_on_loan_is_a_consequence_of_a_leak() -> None:
    finding = missing_slots(0, 1, [LENT, RETURNED, TIMED_OUT])
    assert finding.defect is Defect.LEAK
    assert finding.events == (RETURNED,)


def test_a_slot_that_is_missing_after_a_timeout_of_an_exhausted_pool_is_lost() -> None:
    assert missing_slots(0, 1, [LENT, TIMED_OUT, RETURNED]).defect is Defect.LOST_SLOT


def test_no_slots_are_counted_while_the_pool_is_suspended_or_a_line_is_silent() -> None:
    suspended, resumed = Entry(0, "main", SUSPENDED), Entry(0, "main", RESUMED)
    assert is_barred([suspended])
    assert not is_barred([suspended, resumed])
    assert is_barred([Entry(0, "main", "fault", detail=Fault.IDLE_SILENCED)])
