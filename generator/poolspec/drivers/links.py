"""The links of scripted connections: where a scripted connection leads, instead of to a server.

A link has the state that the connection's class shows in its driver's way. Its descriptor is real,
and readable once the link has lost its server, as a socket is that a server has closed. The lab
looks at the link only, so a scripted connection may have any methods, and needs one attribute,
`link`.
"""

import os
from collections.abc import Callable
from typing import Any
from weakref import ref

from poolspec.drivers.contract import Planned
from poolspec.drivers.plan import Plan
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import Call


class Link:
    """The link of one scripted connection."""

    def __init__(self, number: int, planned: Planned, failure: Callable[[Call, str], Exception]):
        self.closed = True  # until it has its descriptors
        self.number = number
        self.in_transaction = False
        self.autocommits = False
        self._planned = planned
        self._failure = failure
        self._when_gone: Callable[[], object] | None = None
        self._read_end, self._write_end = os.pipe()
        self.closed = False

    def plan(self, call: Call) -> Plan:
        """Count a call, and return what happens to it before it reaches the server."""
        return self._planned(call)

    def reach(self, call: Call) -> None:
        """Raise the driver's error if the server is gone; then the connection is closed."""
        if not self.has_server:
            self.shut()
            raise self._failure(call, "the server is gone")

    def execute(self) -> None:
        """Run a statement, which begins a transaction unless each statement is committed."""
        self.reach(Call.EXECUTE)
        self.in_transaction = not self.autocommits

    def end_transaction(self, call: Call) -> None:
        """Commit, roll back or reset."""
        self.reach(call)
        self.in_transaction = False

    @property
    def has_server(self) -> bool:
        """Whether the server still has it; the connection may not have noticed its loss."""
        return self._write_end >= 0

    @property
    def descriptor(self) -> int:
        """The descriptor on which the server would send; negative once it is closed."""
        return -1 if self.closed else self._read_end

    def die(self) -> None:
        """Lose the server without noticing it."""
        if self.has_server:
            os.close(self._write_end)
            self._write_end = -1

    def shut(self) -> None:
        """Close it at once; may be called repeatedly."""
        if not self.closed:
            self.closed = True
            self.die()
            os.close(self._read_end)
            if self._when_gone is not None:
                self._when_gone()

    def when_gone(self, notify: Callable[[], object]) -> None:
        """Call `notify` when it is closed."""
        self._when_gone = notify

    def session_state(self) -> str:
        """Return what the last use left behind; empty for a clean connection."""
        if self.closed:
            return "a closed socket"
        return "an open transaction" if self.in_transaction else ""

    def __del__(self) -> None:
        if not getattr(self, "closed", True):
            self.shut()


def link_of(connection: Any) -> Link | None:
    """Return the link of a scripted connection; None for any other."""
    found = getattr(connection, "link", None)
    return found if isinstance(found, Link) else None


class Links:
    """The links of one test. Safe to use from any thread.

    They keep no link: one whose connection a pool drops is collected with it, and ends there.
    """

    def __init__(self, planned: Planned, failure: Callable[[Call, str], Exception]) -> None:
        self._planned = planned
        self._failure = failure
        self._lock = FreshLock()  # guards _made
        self._made: list[ref[Link]] = []

    def plan(self) -> Plan:
        """Count a connect, and return what happens to it before it succeeds."""
        return self._planned(Call.CONNECT)

    def add(self) -> Link:
        """Make a link with the next number."""
        with self._lock:
            link = Link(len(self._made) + 1, self._planned, self._failure)
            self._made.append(ref(link))
        return link

    def alive(self) -> frozenset[int]:
        """Return the numbers of those that are open and have not lost their server."""
        links = [made() for made in list(self._made)]
        return frozenset(link.number for link in links if link is not None and link.has_server)

    def kill(self, number: int) -> None:
        """Make one lose its server without noticing yet."""
        link = self._made[number - 1]()
        if link is not None:
            link.die()
