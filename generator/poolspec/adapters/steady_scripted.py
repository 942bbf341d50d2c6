"""Foreign connections for steadypool: a plain driver's, and scripted ones.

The scripted connections are those of `steadypool.testing`. Each call does what the lab has planned
for it; closing one notifies the lab.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from poolspec.drivers.contract import Clock, Planned
from poolspec.drivers.plan import Plan
from poolspec.vocabulary import Call
from steadypool.protocols import Clock as PoolClock
from steadypool.testing import Gate, ScriptedConnection, ScriptedConnector


def acts(plan: Plan, make_gate: Callable[[], Any]) -> Any:
    """Return the acts of a scripted call: the parts of a plan, in order."""
    parts: list[Any] = [plan.delay] if plan.delay else []
    if plan.hang is not None:
        gate = make_gate()
        plan.hang.when_over(gate.open)
        parts.append(gate)
    if plan.error is not None:
        parts.append(plan.error)
    return tuple(parts)


class Seen:
    """The methods of a scripted connection that the lab calls, in either form."""

    number: int
    closed: bool
    in_transaction: bool
    when_closed: Callable[[], object] | None
    shut: Callable[[], None]

    def thread_id(self) -> int:
        """Return the number of the connection."""
        return self.number

    def when_gone(self, notify: Callable[[], object]) -> None:
        """Call `notify` when the connection is closed."""
        self.when_closed = notify

    def end(self) -> None:
        """Close the connection at once."""
        self.shut()

    def session_state(self) -> str:
        """Return the session state that its last borrower left; empty if none."""
        if self.closed:
            return "a closed socket"
        return "an open transaction" if self.in_transaction else ""


class Scripted(Seen, ScriptedConnection):
    """A scripted connection of the threads form."""

    def __init__(self, number: int, clock: PoolClock, planned: Planned) -> None:
        super().__init__(number, clock)
        self._planned = planned
        self._gate = partial(Gate, clock)

    def next_act(self, call: str) -> Any:
        """Return what the lab has planned for this call."""
        return acts(self._planned(Call(call)), self._gate)


class Bare:
    """A view of a scripted connection with only `close` and the methods that the lab calls.

    A pool that gets one cannot ask the connection for its own state.
    """

    def __init__(self, whole: Any) -> None:
        self._whole = whole
        self.close = whole.close
        self.commit = whole.commit
        self.cursor = whole.cursor
        self.rollback = whole.rollback
        self.thread_id = whole.thread_id
        self.when_gone = whole.when_gone
        self.end = whole.end
        self.session_state = whole.session_state
        self.execute = whole.execute


class _Connector(ScriptedConnector):
    def __init__(self, clock: Clock, planned: Planned) -> None:
        super().__init__(clock=clock)
        self._planned = planned

    def make(self, number: int) -> Scripted:
        return Scripted(number, self._clock, self._planned)


class SteadyScripted:
    """The scripted server of a test. Safe to use from any thread."""

    def __init__(self, clock: Clock, planned: Planned, minimal: bool) -> None:
        self._connector = _Connector(clock, planned)
        self._planned = planned
        self._gate = partial(Gate, clock)
        self._minimal = minimal

    def open(self) -> Any:
        """Open a connection as planned."""
        self._connector.then(acts(self._planned(Call.CONNECT), self._gate))
        connection = self._connector()
        return Bare(connection) if self._minimal else connection

    def alive(self) -> frozenset[int]:
        """Return the numbers of the connections that a server would still have."""
        return alive(self._connector.opened)

    def kill(self, number: int) -> None:
        """Cut a connection off from its server."""
        self._connector.opened[number - 1].die()


def alive(opened: "list[Any]") -> frozenset[int]:
    """Return the numbers of connections that a server would still have."""
    return frozenset(one.number for one in opened if one.has_server)
