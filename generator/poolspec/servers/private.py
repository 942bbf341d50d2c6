"""A private server: a process with a directory, both removed at the end of the run.

A `Program` describes the server: the files in its directory, its command, its administrator. The
rest is common: the guardian starts the command, a successful connect shows that the server is
ready, and if another process took the port in the meantime, another port is tried.
"""

import contextlib
import os
import signal
import time
from abc import ABC, abstractmethod
from pathlib import Path

from poolspec.servers.admin import Admin, RefusedError
from poolspec.servers.barring import barring
from poolspec.servers.base import (
    Address,
    Barred,
    ServerEndedError,
    ServerError,
    ServerKind,
    Tenant,
)
from poolspec.servers.directory import LEAST_BYTES, no_directory, require_room, sweep
from poolspec.servers.guarded import GuardedDirectory
from poolspec.servers.ports import HOST, free_port, is_free, none_free
from poolspec.servers.process_state import reason, runs_on
from poolspec.servers.sql import SqlServer, product
from poolspec.vocabulary import Capability

_READY_SECONDS = 30.0
_EXIT_SECONDS = 10.0
_STOP_SECONDS = 1.0
_POLL_SECONDS = 0.002
_PORT_ATTEMPTS = 5

OURS = frozenset({Capability.KILL, Capability.SERVER_CONTROL})
"""Operations on a server that belongs to this run."""


class Program(ABC):
    """A database server that can be run in a directory."""

    kind: ServerKind
    capabilities: frozenset[Capability]
    needed: int
    """The bytes that its directory takes, with some to spare."""

    @abstractmethod
    def prepare(self, directory: Path) -> None:
        """Write the server's files into the directory."""

    @abstractmethod
    def command(self, directory: Path, address: Address) -> list[str]:
        """Return the command line; its first word is an absolute path."""

    @abstractmethod
    def account(self, directory: Path) -> tuple[str, str]:
        """Return the administrator's user and password."""


class PrivateServer(SqlServer):
    """A server process that ends with this process, however that ends."""

    is_paused = False
    """Whether `pause` has stopped the process."""

    def __init__(self, program: Program, note: str = "") -> None:
        self.note = note
        self.swept = tuple(sweep())
        self._program = program
        address = self._begin()
        try:
            version = self._version()
        except BaseException:
            self._directory.close()
            raise
        super().__init__(program.kind, address, self._admin, version, program.capabilities | OURS)

    @property
    def description(self) -> str:
        """Product and version of the private instance."""
        return f"{product(self.version)}, private instance"

    @property
    def directory(self) -> Path:
        """The directory of the instance."""
        return self._directory.path

    @property
    def pid(self) -> int:
        """Process id of the server."""
        assert self._directory.pid is not None
        return self._directory.pid

    @property
    def guard_pid(self) -> int:
        """Process id of the guardian."""
        return self._directory.guard_pid

    def bar(self, tenant: Tenant, why: Barred) -> None:
        """Refuse all further sign-ins of a tenant's account."""
        self._admin.run(*barring(self.kind, tenant.user, why))

    def crash(self) -> None:
        """Kill the server process with signal 9, and wait until it has ended."""
        self._end(signal.SIGKILL)

    def shut_down(self) -> None:
        """Let the server shut down in order, and wait until it has ended.

        It stops accepting connections, ends those that are open, and flushes its data.
        """
        self._end(signal.SIGTERM)

    def _end(self, by: signal.Signals) -> None:
        if self.is_paused and by is not signal.SIGKILL:
            self.resume()
        self.is_paused = False
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, by)
        deadline = time.monotonic() + _EXIT_SECONDS
        while self._directory.exit_status() is None:
            if time.monotonic() > deadline:
                raise ServerError(f"The database server did not end by {by.name}.")
            time.sleep(_POLL_SECONDS)

    def restart(self) -> None:
        """Start the server again after its end: same data, same address; wait until it is usable.

        Raises ServerError when it does not come up, with the end of its log.
        """
        self._admin.close()  # it was connected to the server that ended
        self._directory.start(self._program.command(self.directory, self.address))
        self._wait_until_usable()

    @property
    def is_running(self) -> bool:
        """Whether the process runs, paused or not."""
        return self._directory.exit_status() is None

    def pause(self) -> None:
        """Pause the process: connections stay open, and nothing answers.

        Returns when all of its threads have stopped, on systems that can report it.
        """
        self.is_paused = True
        os.kill(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + _STOP_SECONDS
        while runs_on(self.pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def resume(self) -> None:
        """Let a paused process continue."""
        os.kill(self.pid, signal.SIGCONT)
        self.is_paused = False

    def refuse_writes(self, refuse: bool) -> None:
        """Make the server read-only for all but administrators, or end that.

        A server waits for open transactions that have written before it becomes read-only.
        """
        self._admin.run(f"SET GLOBAL read_only = {int(refuse)}")

    def setting(self, name: str) -> int:
        """Return a global system variable that is a number."""
        ((value,),) = self._admin.run(f"SELECT @@GLOBAL.{name}")
        return int(value)

    def set_up(self, name: str, value: int) -> None:
        """Set a global system variable. Raises ServerError if the server takes another value."""
        self._admin.run(f"SET GLOBAL {name} = {int(value)}")
        if (taken := self.setting(name)) != value:
            raise ServerError(f"The server sets {name} to {taken}, not to {value}.")

    def last_number(self) -> int:
        """Return about the highest number that the server has given to a connection so far."""
        ((_, number),) = self._admin.run("SHOW GLOBAL STATUS LIKE 'Connections'")
        return int(number)

    def number_connected(self) -> int:
        """Return how many connections the server counts towards its limit."""
        ((_, number),) = self._admin.run("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
        return int(number)

    def occupy(self) -> Admin:
        """Open one more connection of the administrator, and return it."""
        user, password = self._program.account(self.directory)
        occupant = Admin(self.address, user, password)
        occupant.connect()
        return occupant

    def check(self) -> None:
        """Look whether the server runs, and whether its directory is there and has room."""
        status = self._directory.exit_status()
        if status is not None:
            how = f"ended ({reason(status)}), and no test has caused it"
        elif not self.directory.is_dir():
            how = f"has lost its directory {self.directory}, which no test has removed"
        else:
            require_room(self.directory, LEAST_BYTES)
            return
        what = f"The private {self.kind} server, process {self._directory.pid}, {how}."
        raise ServerEndedError(what, self._directory.log_tail())

    def revive(self) -> None:
        """Replace a server that has ended by a new instance, in a new directory."""
        self._admin.close()
        self._directory.close()
        self.is_paused = False
        self.address = self._begin()

    def stop(self) -> None:
        """End the server and remove its directory; idempotent."""
        super().stop()
        self._directory.close()

    def _begin(self) -> Address:
        """Make the directory and start the server in it; leaves nothing if it fails."""
        self._directory = GuardedDirectory()
        try:
            require_room(self.directory, self._program.needed)
            self._program.prepare(self.directory)
            return self._launch_on_free_port()
        except OSError as error:
            self._directory.close()
            raise no_directory(self.directory.parent, error) from None
        except BaseException:
            self._directory.close()
            raise

    def _launch_on_free_port(self) -> Address:
        user, password = self._program.account(self.directory)
        tried = []
        for _ in range(_PORT_ATTEMPTS):
            address = Address(HOST, free_port(), str(self.directory / "sock"))
            tried.append(address.port)
            self._admin = Admin(address, user, password)
            self._directory.start(self._program.command(self.directory, address))
            if self._came_up(address):
                return address
        raise none_free(tried)

    def _came_up(self, address: Address) -> bool:
        # False: another process took the port first. Any other failure is an error.
        try:
            self._wait_until_usable()
        except ServerError:
            if self._directory.exit_status() is not None and not is_free(address.port):
                return False
            raise
        return True

    def _version(self) -> str:
        ((version,),) = self._admin.run("SELECT VERSION()")
        return str(version)

    def _wait_until_usable(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                self._admin.connect()
                return
            except RefusedError:
                raise
            except ServerError:
                self._give_up_if_hopeless(deadline)
            time.sleep(_POLL_SECONDS)

    def _give_up_if_hopeless(self, deadline: float) -> None:
        status = self._directory.exit_status()
        if status is not None:
            what = f"ended while it started (status {status})"
        elif time.monotonic() > deadline:
            what = f"was not usable after {_READY_SECONDS:.0f} s"
        else:
            return
        raise ServerError(
            f"The private {self._program.kind} server {what}. {self._directory.log_tail()}"
        ) from None
