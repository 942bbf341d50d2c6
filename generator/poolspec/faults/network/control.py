"""Sets and heals the faults of the network for one test, and notes what they end."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from poolspec.faults.network.line import Line
from poolspec.faults.network.toxics import Toxic
from poolspec.faults.terms import FaultTerms, Numbered
from poolspec.invariants.connection import Sockets
from poolspec.invariants.observer import Observer, settle
from poolspec.servers import Server, Tenant
from poolspec.vocabulary import SILENCES, Fault

_ENDING = frozenset({Fault.DOWN, Fault.RESET_PEER})
"""The faults that end connections, at once unless they have a delay."""


class NetworkFaults:
    """The faults of one test's line. Blocks for a moment."""

    line: Line | None = None
    """The line between the pools and the server; None if they connect directly."""

    def __init__(
        self,
        server: Server,
        tenant: Tenant,
        observer: Observer,
        sockets: list[Sockets],
        port_of: Callable[[Any], int],
        answers: Callable[[], bool],
    ) -> None:
        """Break the network of one test; `answers` returns whether the server can be asked."""
        self._server = server
        self._tenant = tenant
        self._observer = observer
        self._sockets = sockets
        self._port_of = port_of
        self._answers = answers
        self._in_force: set[Fault] = set()

    def lay(self, line: Line) -> None:
        """Use a line, from before the first pool is made."""
        self.line = line
        line.cut = self._note_cut

    def set(self, fault: Fault, terms: FaultTerms, held: Collection[int]) -> None:
        """Set a fault. `held` are the numbers of the connections on loan.

        Raises AssertionError if it affects certain connections and there are none: the rest of the
        test would prove nothing.
        """
        named = self._affected(fault, terms, held)
        ending = self._numbered() if named is None else named
        ports = None if named is None else frozenset(named.values())
        kind = Fault.HALF_OPEN if fault in SILENCES else fault
        affected = self._line().set(Toxic.of(kind, ports, terms))
        if ("on" in terms and affected != ports) or (fault in SILENCES and not affected):
            raise AssertionError("the connections to break are closed, or not over the lab's line")
        if fault not in SILENCES:
            self._in_force.add(fault)
        if fault in _ENDING and "delay" not in terms and self._answers():
            self._wait_for_end(frozenset(ending))

    def clear(self, fault: Fault) -> None:
        """End a fault."""
        self._line().lift(fault)
        self._in_force.discard(fault)

    def clear_all(self) -> None:
        """End all faults that are not permanent."""
        for fault in tuple(self._in_force):
            self.clear(fault)

    def close(self) -> None:
        """End the line."""
        if self.line is not None:
            self.line.close()

    def _line(self) -> Line:
        assert self.line is not None, "needs: line"
        return self.line

    def _affected(
        self, fault: Fault, terms: FaultTerms, held: Collection[int]
    ) -> dict[int, int] | None:
        """Return the ports of the connections that a fault affects, by number; None: of all."""
        if "on" in terms:
            wanted = {one.number for one in _each(terms["on"])}
        elif fault is Fault.IDLE_SILENCED:
            wanted = self._numbered().keys() - held
        else:
            return None
        found = {number: port for number, port in self._numbered().items() if number in wanted}
        if not found or found.keys() != wanted:
            raise AssertionError("the pool has no such connection to break")
        return found

    def _numbered(self) -> dict[int, int]:
        """Return the ports of the pools' connections by number; 0 for one that is closed."""
        return {
            number: self._port_of(connection)
            for sockets in self._sockets
            for number, connection in sockets.numbered()
        }

    def _wait_for_end(self, numbers: frozenset[int]) -> None:
        """Wait until the server no longer counts the connections that were ended."""
        settle(lambda: self._server.connection_ids(self._tenant) & numbers, lambda left: not left)

    def _note_cut(self, port: int) -> None:
        """Note that a fault ends a connection; called in the line's thread."""
        self._observer.has_killed = True
        self._observer.ended(number for number, its in self._numbered().items() if its == port)


def _each(given: Numbered | Sequence[Numbered]) -> Sequence[Numbered]:
    return given if isinstance(given, Sequence) else (given,)
