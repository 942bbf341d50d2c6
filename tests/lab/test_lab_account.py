"""The lab's account of a pool: its figures, its limits and its room; and acquires of others."""

from collections.abc import Callable

import pytest

from poolspec.drivers.contract import Make
from poolspec.invariants.connection import Sockets
from poolspec.invariants.log import Entry, Log
from poolspec.invariants.marks import SEEN_WAITING
from poolspec.vocabulary import EventKind, StatName
from poolspec.witness.account import Account
from poolspec.witness.calls import Calls
from poolspec.witness.reported import ReportedAcquires
from poolspec.witness.witness import Witness

MAKE = Make("none", "scripted")


class Connection:
    """A connection, as far as the account knows it."""


def an_account(size: int = 2, max_overflow: int = 0) -> Account:
    return Account(0, Sockets(lambda *_, **__: None), size, max_overflow)


def opened(account: Account, count: int) -> list[Connection]:
    """Open connections, which are open for as long as they are referenced."""
    connections = [Connection() for _ in range(count)]
    for number, connection in enumerate(connections):
        account.sockets.opened(number, connection, MAKE)
    return connections


def test_an_idle_connection_is_open_and_neither_on_loan_nor_being_released() -> None:
    account = an_account(size=3)
    kept = opened(account, 3)
    account.count(StatName.ACQUIRED, 2)
    assert figures(account) == {"total_connections": 3, "in_use": 2, "pool_size": 1}
    account.count(StatName.RELEASED)
    account.release(1)
    assert figures(account) == {"total_connections": 3, "in_use": 1, "pool_size": 1}
    account.release(-1)
    assert figures(account) == {"total_connections": len(kept), "in_use": 1, "pool_size": 2}


def figures(account: Account) -> dict[str, int]:
    found = account.figures(0)
    names = (StatName.TOTAL_CONNECTIONS, StatName.IN_USE, StatName.POOL_SIZE)
    return {name: found[name] for name in names}


def test_connections_are_counted_by_their_sockets() -> None:
    account = an_account()
    kept = opened(account, 2)
    account.sockets.gone(kept[0])
    found = account.figures(4)
    assert [found[name] for name in (StatName.CREATED, StatName.CLOSED)] == [2, 1]
    assert (found[StatName.TOTAL_CONNECTIONS], found[StatName.WAITING]) == (1, 4)


def test_no_outsider_counts_connections_that_were_replaced_for_their_age() -> None:
    assert set(StatName) - an_account().figures(0).keys() == {StatName.RECYCLED}


def test_a_pool_without_a_limit_has_no_maximum_size() -> None:
    account = an_account(max_overflow=-1)
    assert account.limit is account.most is None
    assert StatName.MAX_SIZE not in account.figures(0)


def test_a_resize_changes_the_limit_that_it_names() -> None:
    account = an_account(size=2, max_overflow=1)
    with account.resizing(4, None):
        pass
    assert (account.limit, account.most) == (5, 5)
    with account.resizing(None, 0):
        pass
    assert (account.limit, account.most) == (4, 5)
    assert account.figures(0)[StatName.MAX_SIZE] == 4


def test_two_resizes_at_once_leave_the_limit_unknown() -> None:
    account = an_account()
    with account.resizing(4, None), account.resizing(3, None):
        pass
    assert StatName.MAX_SIZE not in account.figures(0)
    assert account.most == 4
    assert not account.has_room


def test_a_pool_has_room_until_its_limit_is_on_loan() -> None:
    account = an_account(size=1)
    assert account.has_room
    account.count(StatName.ACQUIRED)
    assert not account.has_room
    account.count(StatName.RELEASED)
    assert account.has_room


@pytest.mark.parametrize(
    "name", ["is_partial", "is_suspended", "is_closed", "cannot_connect", "fails"]
)
def test_a_pool_that_may_not_or_cannot_serve_has_no_room(name: str) -> None:
    account = an_account()
    setattr(account, name, True)
    assert not account.has_room


@pytest.mark.parametrize("name", ["connect", "release"])
def test_a_pool_has_no_room_while_a_connect_or_a_release_is_under_way(name: str) -> None:
    account = an_account()
    note: Callable[[int], None] = getattr(account, name)
    note(1)
    assert not account.has_room
    note(-1)
    assert account.has_room


def test_a_pool_has_no_room_during_a_resize() -> None:
    account = an_account()
    with account.resizing(5, None):
        assert not account.has_room
    assert account.has_room


@pytest.fixture
def witness() -> Witness:
    log = Log(lambda: 0.0)
    return Witness(log, log.now, lambda _: None, lambda _: None, Calls())


def event(kind: EventKind, ticket: int) -> Entry:
    return Entry(0.0, "a request", kind, by_pool=True, ticket=ticket)


@pytest.mark.parametrize(
    ("end", "logged"),
    [
        (EventKind.CHECKOUT_GRANTED, EventKind.CHECKED_OUT),
        (EventKind.CHECKOUT_FAILED, EventKind.CHECKOUT_FAILED),
    ],
)
def test_an_acquire_that_others_make_is_seen_by_the_pools_events(
    witness: Witness, end: EventKind, logged: EventKind
) -> None:
    reported = ReportedAcquires(witness)
    reported.take(event(EventKind.CHECKOUT_QUEUED, 5), 0)
    assert witness.number_waiting(0) == 1
    reported.take(event(end, 5), 0)
    assert witness.number_waiting(0) == 0
    entries = witness.log.entries()
    assert [one.kind for one in entries] == [EventKind.CHECKOUT_STARTED, SEEN_WAITING, logged]
    assert {(one.by_pool, one.ticket) for one in entries} == {(False, 1)}


@pytest.mark.parametrize(
    "kind", [EventKind.CHECKOUT_STARTED, EventKind.CHECKED_OUT, EventKind.CHECKOUT_GRANTED]
)
def test_an_acquire_that_the_pool_did_not_queue_is_not_logged(
    witness: Witness, kind: EventKind
) -> None:
    ReportedAcquires(witness).take(event(kind, 5), 0)
    assert witness.log.entries() == []
