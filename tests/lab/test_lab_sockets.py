"""A connection that connects again is one connection with two sockets, one after the other."""

from poolspec.drivers.contract import Make
from poolspec.invariants.connection import Sockets
from poolspec.invariants.holders import dirty_hand_outs, two_holders
from poolspec.invariants.log import Entry, Log
from poolspec.invariants.marks import NUMBERS_VOID, SOCKET_REOPENED
from poolspec.vocabulary import EventKind

MAKE = Make("tcp", "a driver")


class Connection:
    """A connection of some driver."""


def sockets_and_log() -> tuple[Sockets, Log]:
    log = Log(lambda: 0.0)

    def tell(kind: str, number: int, was: int | None = None) -> None:
        log.add(kind, connection=number, was=was)

    return Sockets(tell), log


def lines(log: Log) -> list[tuple[str, int | None, int | None]]:
    return [(str(entry.kind), entry.connection, entry.was) for entry in log.entries()]


def test_a_closed_socket_and_another_one_are_one_connection() -> None:
    sockets, log = sockets_and_log()
    connection = Connection()
    assert sockets.opened(5, connection, MAKE)
    sockets.gone(connection)
    sockets.reopened(7, connection, MAKE)
    assert lines(log) == [
        ("socket_opened", 5, None),
        ("socket_closed", 5, None),
        ("socket_reopened", 7, 5),
    ]
    assert sockets.numbers() == {7}
    assert sockets.peak == 1
    assert not sockets.opened(7, connection, MAKE)


def test_a_socket_that_is_replaced_while_open_counts_as_closed() -> None:
    sockets, log = sockets_and_log()
    connection = Connection()
    sockets.opened(5, connection, MAKE)
    sockets.reopened(7, connection, MAKE)
    sockets.gone(connection)
    sockets.gone(connection)
    kinds = [kind for kind, _, _ in lines(log)]
    assert kinds == ["socket_opened", "socket_closed", "socket_reopened", "socket_closed"]
    assert sockets.open() == {}
    assert sockets.peak == 1


def out(actor: str, connection: int, detail: str = "") -> Entry:
    return Entry(0.0, actor, EventKind.CHECKED_OUT, connection=connection, detail=detail)


def back(actor: str, connection: int) -> Entry:
    return Entry(0.0, actor, EventKind.CHECKED_IN, connection=connection)


def reopened(connection: int, was: int) -> Entry:
    return Entry(0.0, "a", SOCKET_REOPENED, connection=connection, was=was)


def test_a_loan_continues_under_the_number_of_the_new_socket() -> None:
    entries = [out("a", 5), reopened(7, 5), out("b", 7)]
    (found,) = two_holders(entries)
    assert str(found) == "two holders: connection 7 went to b while a held it"
    assert list(found.events) == [entries[0], entries[2]]


def test_a_release_ends_the_loan_by_either_number() -> None:
    for number in (5, 7, 9):
        entries = [out("a", 5), reopened(7, 5), reopened(9, 7), back("a", number), out("b", 9)]
        assert not list(two_holders(entries))


def test_a_dirty_connection_is_traced_back_to_its_last_release_under_another_number() -> None:
    entries = [out("a", 5), back("a", 5), reopened(7, 5), out("b", 7, "an open transaction")]
    (found,) = dirty_hand_outs(entries)
    assert list(found.events) == [entries[1], entries[3]]


def test_numbers_start_again_with_the_server() -> None:
    void = Entry(0.0, "main", NUMBERS_VOID)
    entries = [out("a", 5), reopened(7, 5), back("a", 7), void, out("a", 5), out("b", 7)]
    assert not list(two_holders(entries))


def test_the_log_shows_both_numbers() -> None:
    assert "socket_reopened  server's connection 7  before 5" in str(reopened(7, 5))
