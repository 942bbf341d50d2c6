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
    ) -> None:
        self._server = server
        self._tenant = tenant
        self._observer = observer
        self._sockets = sockets
        self._port_of = port_of
        self._in_force: set[Fault] = set()

    def lay(self, line: Line) -> None:
        """Use a line, from before the first pool is made."""
        self.line = line
        line.cut = self._note_cut

    def set(self, fault: Fault, terms: FaultTerms, held: Collection[int]) -> None:
        """Set a fault. `held` are the numbers of the connections on loan.

        Raises AssertionError if it is about connections and there are none: the rest of the test
        would prove nothing.
        """
        line = self._line()
        affected = self._affected(fault, terms, held)
        ports = None if affected is None else frozenset(affected.values())
        ending = self._numbered() if affected is None else affected
        toxic = Toxic.of(Fault.HALF_OPEN if fault in SILENCES else fault, ports, terms)
        if not line.set(toxic).issuperset(ports or ()):
            raise AssertionError("the pool did not connect over the line that it was given")
        if fault not in SILENCES:
            self._in_force.add(fault)
        if fault in _ENDING and "delay" not in terms:
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
        """Return the ports of the connections that a fault is about, by number; None: of all."""
        if "on" in terms:
            wanted = {one.number for one in _each(terms["on"])}
        elif fault is Fault.IDLE_SILENCED:
            wanted = self._numbered().keys() - held
        elif fault is Fault.HALF_OPEN:
            wanted = set(self._numbered())
        else:
            return None
        return self._ports_of(wanted)

    def _ports_of(self, wanted: Collection[int]) -> dict[int, int]:
        found = {number: port for number, port in self._numbered().items() if number in wanted}
        if not found:
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
