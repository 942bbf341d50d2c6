"""Scripted connections for threads; `steadypool.testing` explains their use."""

import os
import threading
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Any

from steadypool._threads.clock import SystemClock
from steadypool.protocols import Clock


class Gate:
    """A point where a scripted call blocks until the test opens it. Thread-safe, used once."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._waiter = (clock or SystemClock()).waiter()
        self._opened = False
        self.arrived = threading.Event()
        """Set when a call has reached the gate; wait for it with a timeout."""

    def open(self) -> None:
        """Let the call continue."""
        if not self._opened:
            self._opened = True
            self._waiter.wake()

    def pass_through(self) -> None:
        """Block until the gate is open."""
        self.arrived.set()
        self._waiter.wait(None)


Act = float | BaseException | Gate | None | tuple["Act", ...]
"""The behaviour of one call: seconds to take, an error to raise, a gate, None, or a sequence."""


class Call(StrEnum):
    """A call on a scripted connection."""

    EXECUTE = "execute"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    PING = "ping"
    RESET = "reset"
    CLOSE = "close"


class ScriptedConnection:
    """A connection without a server; it counts the calls made on it.

    `fileno()` is a real descriptor, which `die()` makes readable, like the close of a server.
    """

    def __init__(self, number: int, clock: Clock | None = None) -> None:
        self.closed = True  # until it has its descriptors
        self.number = number
        self.in_transaction = False
        """Set it to release the connection with an open transaction; a statement sets it too."""
        self.rollbacks = self.commits = self.pings = self.resets = 0
        self.on_execute: Any = None
        """The `Act` before the next statement succeeds; likewise the other `on_` attributes."""
        self.on_commit: Any = None
        self.on_rollback: Any = None
        self.on_ping: Any = None
        self.on_reset: Any = None
        self.on_close: Any = None
        self.when_closed: Callable[[], object] | None = None
        """Called when the connection has been closed."""
        self._clock = clock or SystemClock()
        self._read_end, self._write_end = os.pipe()
        self.closed = False

    def __repr__(self) -> str:
        return f"<ScriptedConnection {self.number}{' closed' if self.closed else ''}>"

    def next_act(self, call: Call) -> Any:
        """Return the act of this call and clear it; a subclass may choose acts differently."""
        act = getattr(self, f"on_{call}")
        setattr(self, f"on_{call}", None)
        return act

    def fileno(self) -> int:
        """Return the descriptor on which the server would send."""
        return -1 if self.closed else self._read_end

    def cursor(self) -> "ScriptedCursor":
        """Return a cursor that accepts any statement."""
        return ScriptedCursor(self)

    def execute(self) -> None:
        """Run a statement, which begins a transaction; raises OSError if the server is gone."""
        self._perform_next(Call.EXECUTE)
        self.reach_server()
        self.in_transaction = True

    def rollback(self) -> None:
        """End the transaction, or fail if the script says so."""
        self.rollbacks += 1
        self._perform_next(Call.ROLLBACK)
        self.reach_server()
        self.in_transaction = False

    def commit(self) -> None:
        """Commit the transaction, or fail if the script says so."""
        self.commits += 1
        self._perform_next(Call.COMMIT)
        self.reach_server()
        self.in_transaction = False

    def ping(self) -> None:
        """Make a round trip; raises OSError if the server is gone."""
        self.pings += 1
        self._perform_next(Call.PING)
        self.reach_server()

    def reset_session(self) -> None:
        """Reset all session state and roll back."""
        self.resets += 1
        self._perform_next(Call.RESET)
        self.reach_server()
        self.in_transaction = False

    def die(self) -> None:
        """Lose the server without noticing it, as when a connection drops."""
        if self.has_server:
            os.close(self._write_end)
            self._write_end = -1

    @property
    def has_server(self) -> bool:
        """Whether the server still exists; the connection may not have noticed its loss."""
        return self._write_end >= 0

    def reach_server(self) -> None:
        """Raise OSError if the server is gone."""
        if not self.has_server:
            raise OSError("the server is gone")

    def close(self) -> None:
        """Close; a second close is an error, as with PyMySQL. A failing close has closed it."""
        if self.closed:
            raise ValueError(f"{self!r} is already closed")
        try:
            self._perform_next(Call.CLOSE)
        except Exception:
            self.shut()
            raise
        self.shut()

    def shut(self) -> None:
        """Close at once, without the script; may be called repeatedly."""
        if not self.closed:
            self.closed = True
            self.die()
            os.close(self._read_end)
            if self.when_closed is not None:
                self.when_closed()

    def _perform_next(self, call: Call) -> None:
        perform(self.next_act(call), self._clock)

    def __del__(self) -> None:
        if not getattr(self, "closed", True):
            self.shut()


class ScriptedCursor:
    """A cursor that accepts any statement and returns no rows."""

    def __init__(self, connection: ScriptedConnection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: object = None) -> None:
        """Run a statement."""
        self._connection.execute()

    def fetchall(self) -> list[tuple[object, ...]]:
        """Return no rows."""
        return []

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> "ScriptedCursor":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class ScriptedConnector:
    """A scripted `connect=` callable: each call performs one act, then opens a connection.

    After the last act every call succeeds. Thread-safe. `opened` lists all connections in order.
    """

    def __init__(self, *script: Act, clock: Clock | None = None) -> None:
        self._lock = threading.RLock()
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
        """The number of open connections."""
        with self._lock:
            return sum(not connection.closed for connection in self.opened)

    def __call__(self) -> ScriptedConnection:
        """Perform the next act, then open a connection."""
        with self._lock:
            self.attempts += 1
            act = self._script.pop(0) if self._script else None
        perform(act, self._clock)
        with self._lock:
            connection = self.make(len(self.opened) + 1)
            self.opened.append(connection)
        return connection

    def make(self, number: int) -> ScriptedConnection:
        """Make a connection; a subclass may return another kind."""
        return ScriptedConnection(number, self._clock)


def perform(act: Act, clock: Clock) -> None:
    """Perform an act in the time of a clock."""
    if isinstance(act, BaseException):
        raise act
    if isinstance(act, Gate):
        act.pass_through()
    elif isinstance(act, tuple):
        for part in act:
            perform(part, clock)
    elif act is not None:
        clock.sleep(act)
