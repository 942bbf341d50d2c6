"""All that ended runs have left: found together, listed, and removed in a safe order.

Processes go first, because they hold the locks of their directories.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from poolspec.folders import origin_of, remove_left
from poolspec.leftovers.processes import LeftProcess, end, left_processes
from poolspec.processes import origin
from poolspec.servers import directory
from poolspec.servers.url import UrlServer

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The things that ended runs left, and those of runs that cannot be judged."""

    processes: tuple[LeftProcess, ...] = ()
    directories: tuple[Path, ...] = ()
    tenants: tuple[str, ...] = ()
    """Databases and users of one name each."""
    foreign: tuple[str, ...] = ()
    """Databases and users of other machines, whose runs may be alive. They are never removed."""
    server: UrlServer | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return bool(self.processes or self.directories or self.tenants)

    def lines(self) -> Iterator[str]:
        """Yield a line for each thing that is left."""
        for process in self.processes:
            yield str(process)
            yield from (f"port {port}, of process {process.pid}" for port in process.ports)
            yield from (
                f"directory {path}, of process {process.pid}" for path in process.directories
            )
        yield from (f"directory {path}" for path in self.directories)
        yield from (f"database and user {name}" for name in self.tenants)

    def of(self, place: Path) -> "Leftovers":
        """Return those of runs that were started in a directory, and all databases and users."""
        return replace(
            self,
            processes=tuple(one for one in self.processes if _is_in(origin(one.run), place)),
            directories=tuple(one for one in self.directories if _is_in(origin_of(one), place)),
        )

    def remove(self) -> None:
        """Remove everything; another `find` shows what is left all the same."""
        end(self.processes)
        for path in (*self.directories, *(one for p in self.processes for one in p.directories)):
            remove_left(path)
        if self.server is not None:
            self.server.drop_orphans()


def find(server: UrlServer | None = None) -> Leftovers:
    """Find what is left on this machine, and on a server that is named by a URL."""
    tenants = () if server is None else server.orphans()
    foreign = () if server is None else server.foreign()
    return Leftovers(left_processes(), tuple(directory.left()), tenants, foreign, server)


def settled(server: UrlServer | None, seconds: float, place: Path | None = None) -> Leftovers:
    """Find what is left after giving processes that are ending some time to end.

    With a place, consider only runs that were started there.
    """

    def found_there() -> Leftovers:
        found = find(server)
        return found if place is None else found.of(place)

    deadline = time.monotonic() + seconds
    while (found := found_there()) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return found


def _is_in(started: str, place: Path) -> bool:
    return bool(started) and Path(started).is_relative_to(place)
