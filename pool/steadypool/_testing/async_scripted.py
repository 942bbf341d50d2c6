"""Scripted connections for asyncio; `steadypool.testing_aio` explains their use."""

import asyncio

from steadypool._asyncio.clock import SystemAsyncClock
from steadypool._testing.scripted import Call, ScriptedConnection
from steadypool.protocols import AsyncClock


class AsyncGate:
    """A point where a scripted call blocks until the test opens it; used once."""

    def __init__(self, clock: AsyncClock | None = None) -> None:
        self._waiter = (clock or SystemAsyncClock()).waiter()
        self.arrived = asyncio.Event()
        """Set when a call has reached the gate."""

    def open(self) -> None:
        """Let the call continue."""
        self._waiter.wake()

    async def pass_through(self) -> None:
        """Wait until the gate is open."""
        self.arrived.set()
        await self._waiter.wait(None)


AsyncAct = float | BaseException | AsyncGate | None | tuple["AsyncAct", ...]
"""The behaviour of one call: seconds to take, an error to raise, a gate, None, or a sequence."""


class AsyncScriptedConnection(ScriptedConnection):
    """A `ScriptedConnection` with async methods.

    Its `on_` attributes, such as `on_rollback`, are `AsyncAct`s.
    """

    def __init__(self, number: int, clock: AsyncClock) -> None:
        super().__init__(number)
        self._async_clock = clock

    async def execute(self) -> None:  # type: ignore[override]  # the same, awaited
        """Run a statement, which begins a transaction; raises OSError if the server is gone."""
        await self._await(Call.EXECUTE)
        self.reach_server()
        self.in_transaction = True

    async def rollback(self) -> None:  # type: ignore[override]  # the same, awaited
        """End the transaction, or fail if the script says so."""
        self.rollbacks += 1
        await self._await(Call.ROLLBACK)
        self.reach_server()
        self.in_transaction = False

    async def commit(self) -> None:  # type: ignore[override]  # the same, awaited
        """Commit the transaction, or fail if the script says so."""
        self.commits += 1
        await self._await(Call.COMMIT)
        self.reach_server()
        self.in_transaction = False

    async def reset_session(self) -> None:  # type: ignore[override]  # the same, awaited
        """Reset all session state and roll back."""
        self.resets += 1
        await self._await(Call.RESET)
        self.reach_server()
        self.in_transaction = False

    async def close(self) -> None:  # type: ignore[override]  # the same, awaited
        """Close; may be repeated. A failing close has closed it, a cancelled one has not."""
        try:
            await self._await(Call.CLOSE)
        except Exception:
            self.shut()
            raise
        self.shut()

    def abort(self) -> None:
        """Close at once, without notifying the server; may be called repeatedly."""
        self.shut()

    async def _await(self, call: Call) -> None:
        await perform(self.next_act(call), self._async_clock)


class AsyncScriptedConnector:
    """A scripted `connect=` callable: each call performs one act, then opens a connection.

    After the last act every call succeeds. `opened` lists all connections in order.
    """

    def __init__(self, *script: AsyncAct, clock: AsyncClock | None = None) -> None:
        self._script = list(script)
        self._clock: AsyncClock = clock or SystemAsyncClock()
        self.attempts = 0
        self.opened: list[AsyncScriptedConnection] = []

    def then(self, *script: AsyncAct) -> None:
        """Add acts to the script."""
        self._script.extend(script)

    @property
    def open_now(self) -> int:
        """The number of open connections."""
        return sum(not connection.closed for connection in self.opened)

    async def __call__(self) -> AsyncScriptedConnection:
        """Perform the next act, then open a connection."""
        self.attempts += 1
        await perform(self._script.pop(0) if self._script else None, self._clock)
        connection = self.make(len(self.opened) + 1)
        self.opened.append(connection)
        return connection

    def make(self, number: int) -> AsyncScriptedConnection:
        """Make a connection; a subclass may return another kind."""
        return AsyncScriptedConnection(number, self._clock)


async def perform(act: AsyncAct, clock: AsyncClock) -> None:
    """Perform an act in the time of a clock."""
    if isinstance(act, BaseException):
        raise act
    if isinstance(act, AsyncGate):
        await act.pass_through()
    elif isinstance(act, tuple):
        for part in act:
            await perform(part, clock)
    elif act is not None:
        await clock.sleep(act)
