"""How real a test is: read from its connections and its clock, not from the spec."""

from collections.abc import Iterable
from dataclasses import dataclass

from poolspec.drivers.contract import NONE, SCRIPTED, Make
from poolspec.servers import ServerKind
from poolspec.vocabulary import Real, TimeKind

_REAL_SERVERS = frozenset({ServerKind.MARIADB, ServerKind.MYSQL, ServerKind.URL})


@dataclass(frozen=True, slots=True)
class Grade:
    """A test's server, socket, driver and clock, in words."""

    server: str
    """The kind of server; none if the test made no connection over a socket."""
    socket: str
    driver: str
    clock: str

    def real(self) -> frozenset[Real]:
        """Return the parts that are real."""
        holds = {
            Real.SERVER: self.server in _REAL_SERVERS,
            Real.SOCKET: NONE not in self.socket.split(", "),
            Real.DRIVER: not {NONE, SCRIPTED} & set(self.driver.split(", ")),
            Real.CLOCK: self.clock == TimeKind.REAL,
        }
        return frozenset(part for part in Real if holds[part])


def grade(server: ServerKind, makes: Iterable[Make], clock: object) -> Grade:
    """Grade a test by its connections, the server that they led to, and its clock."""
    seen = set(makes)
    connected = any(make.socket != NONE for make in seen)
    return Grade(
        server.value if connected else NONE,
        ", ".join(sorted({make.socket for make in seen})) or NONE,
        ", ".join(sorted({make.driver for make in seen})) or NONE,
        (TimeKind.REAL if getattr(clock, "is_real", False) else TimeKind.VIRTUAL).value,
    )
