"""Connections that follow a script; `steadypool.testing` shows how they are used."""

import os
import threading

from steadypool.clock import SystemClock
from steadypool.protocols import Clock


class Gate:
    """A place where a scripted connect stops until the test opens it. Thread-safe, used once."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._waiter = (clock or SystemClock()).waiter()
        self._opened = False
        self.arrived = threading.Event()
        """Set as soon as a connect stands at the gate; wait for it with a timeout."""

    def open(self) -> None:
        """Let the connect go on."""
        if not self._opened:
            self._opened = True
            self._waiter.wake()

    def pass_through(self) -> None:
        """Stand at the gate until it is open."""
        self.arrived.set()
        self._waiter.wait(None)


class ScriptedConnection:
    """A connection that leads nowhere, and writes down what is done to it.

    `fileno()` is a real descriptor, which `die()` makes readable as a server's good-bye does.
    """

    def __init__(self, number: int) -> None:
        self.closed = True  # until it has its descriptors
        self.number = number
        self.in_transaction = False
        """Set it to make the connection come back dirty."""
        self.rollbacks = 0
        self.rollback_error: BaseException | None = None
        """What the next rollback raises."""
        self.commits = self.pings = self.resets = 0
        self._read_end, self._write_end = os.pipe()
        self.closed = False

    def __repr__(self) -> str:
        return f"<ScriptedConnection {self.number}{' closed' if self.closed else ''}>"

    def fileno(self) -> int:
        """Return the descriptor that the server would speak on."""
        return -1 if self.closed else self._read_end

    def rollback(self) -> None:
        """End the transaction, or fail as told."""
        self.rollbacks += 1
        error, self.rollback_error = self.rollback_error, None
        if error is not None:
            raise error
        self.in_transaction = False

    def commit(self) -> None:
        """End the transaction."""
        self.commits += 1
        self.in_transaction = False

    def ping(self) -> None:
        """Make a round trip; raises OSError if the server is gone."""
        self.pings += 1
        if self.closed or self._write_end < 0:
            raise OSError("the server is gone")

    def reset_session(self) -> None:
        """Forget all session state, and roll back."""
        self.resets += 1
        self.in_transaction = False

    def die(self) -> None:
        """Lose the server, as a dropped connection does, without knowing it yet."""
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1

    def close(self) -> None:
        """Close; the second time it is an error, as with PyMySQL."""
        if self.closed:
            raise ValueError(f"{self!r} is closed already")
        self.closed = True
        self.die()
        os.close(self._read_end)

    def __del__(self) -> None:
        if not getattr(self, "closed", True):
            self.close()


Act = float | BaseException | Gate | None
"""What a connect does: take so many seconds, raise, stop at a gate, or succeed at once."""


class ScriptedConnector:
    """A `connect=` callable that follows a script, one act for each call; then it succeeds.

    Thread-safe. `opened` holds every connection made, in order.
    """

    def __init__(self, *script: Act, clock: Clock | None = None) -> None:
        self._lock = threading.Lock()
        self._script = list(script)
        self._clock = clock or SystemClock()
        self.attempts = 0
        self.opened: list[ScriptedConnection] = []

    def then(self, *script: Act) -> None:
        """Add acts to the script."""
        with self._lock:
            self._script.extend(script)

    @property
    def open_now(self) -> int:
        """How many of its connections are open."""
        with self._lock:
            return sum(not connection.closed for connection in self.opened)

    def __call__(self) -> ScriptedConnection:
        """Play the next act, and open a connection."""
        with self._lock:
            self.attempts += 1
            act = self._script.pop(0) if self._script else None
        if isinstance(act, BaseException):
            raise act
        if isinstance(act, Gate):
            act.pass_through()
        elif act is not None:
            self._clock.sleep(act)
        with self._lock:
            connection = ScriptedConnection(len(self.opened) + 1)
            self.opened.append(connection)
        return connection
