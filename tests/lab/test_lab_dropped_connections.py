"""The lab keeps no connection alive that a pool has dropped, and its limit counts no dead one."""

import gc
import logging
from typing import Any

from poolspec.drivers.contract import Make
from poolspec.drivers.plan import Plan
from poolspec.invariants.connection import Sockets
from poolspec.lifecycle.log_frames import without_frames
from poolspec.testing import PyMySQLDriver
from steadypool.testing import VirtualClock

MAKE = Make("none", "scripted")


class Connection:
    """A connection that refers to itself, as one that is watched does."""

    def __init__(self) -> None:
        self.itself = self


def noted() -> tuple[Sockets, list[tuple[str, int]]]:
    log: list[tuple[str, int]] = []
    return Sockets(lambda kind, number, was=None: log.append((kind, number))), log


def test_a_dropped_connection_is_closed_when_it_is_collected() -> None:
    sockets, log = noted()
    sockets.opened(7, Connection(), MAKE)
    assert sockets.left() == 0
    assert sockets.closed == 1
    assert log == [("socket_opened", 7), ("socket_closed", 7)]


def test_a_connection_that_is_still_referred_to_is_left() -> None:
    sockets, _ = noted()
    held = Connection()
    sockets.opened(7, held, MAKE)
    assert sockets.left() == 1
    assert sockets.numbered() == [(7, held)]


def test_a_connection_that_the_server_has_ended_leaves_room_for_its_replacement() -> None:
    sockets, _ = noted()
    old, new, third = Connection(), Connection(), Connection()
    sockets.opened(1, old, MAKE)
    sockets.ended([1])
    sockets.opened(2, new, MAKE)
    assert sockets.peak == 1
    sockets.gone(old)
    sockets.opened(3, third, MAKE)
    assert sockets.peak == 2


def test_a_dropped_scripted_connection_is_closed_when_it_is_collected() -> None:
    made = PyMySQLDriver().scripted(VirtualClock(), lambda _: Plan(), minimal=False)
    held: list[Any] = [made.open(), made.open()]
    assert made.alive() == {1, 2}
    held.pop()
    gc.collect()
    assert made.alive() == {1}
    made.kill(2)
    made.kill(1)
    assert not made.alive()


def test_a_log_record_of_an_exception_keeps_its_text_and_not_its_frames() -> None:
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    logger = logging.getLogger("a pool that logs")
    logger.propagate = False
    logger.addHandler(Keep())
    with without_frames():
        try:
            raise ValueError("the server is gone")
        except ValueError:
            logger.exception("reset failed")
    (record,) = records
    assert record.exc_info is None
    assert "the server is gone" in logging.Formatter().format(record)
