"""Connections for tasks that follow a script; `steadypool.testing_aio` shows how they are used."""

import asyncio

from steadypool._asyncio.clock import SystemAsyncClock
from steadypool._testing.scripted import Call, ScriptedConnection
from steadypool.protocols import AsyncClock


class AsyncGate:
    """A place where a scripted connect stops until the test opens it; used once."""

    def __init__(self, clock: AsyncClock | None = None) -> None:
        self._waiter = (clock or SystemAsyncClock()).waiter()
        self.arrived = asyncio.Event()
        """Set as soon as a connect stands at the gate."""

    def open(self) -> None:
        """Let the connect go on."""
        self._waiter.wake()

    async def pass_through(self) -> None:
        """Stand at the gate until it is open."""
        self.arrived.set()
        await self._waiter.wait(None)


AsyncAct = float | BaseException | AsyncGate | None | tuple["AsyncAct", ...]
"""What a call does: take so many seconds, raise, stop at a gate, succeed at once; or several."""


class AsyncScriptedConnection(ScriptedConnection):
    """As `ScriptedConnection`, with methods to await.

    What a call does before it succeeds, `on_rollback` for one, is an `AsyncAct`.
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
        """End the transaction, or fail as told."""
        self.rollbacks += 1
        await self._await(Call.ROLLBACK)
        self.reach_server()
        self.in_transaction = False

    async def commit(self) -> None:  # type: ignore[override]  # the same, awaited
        """Commit the transaction, or fail as told."""
        self.commits += 1
        await self._await(Call.COMMIT)
        self.reach_server()
        self.in_transaction = False

    async def reset_session(self) -> None:  # type: ignore[override]  # the same, awaited
        """Forget all session state, and roll back."""
        self.resets += 1
        await self._await(Call.RESET)
        self.reach_server()
        self.in_transaction = False

    async def close(self) -> None:  # type: ignore[override]  # the same, awaited
        """Close; as often as you like. If it fails, it has closed; if cancelled, it has not."""
        try:
            await self._await(Call.CLOSE)
        except Exception:
            self.shut()
            raise
        self.shut()

    def abort(self) -> None:
        """Close at once, without a word; as often as you like."""
        self.shut()

    async def _await(self, call: Call) -> None:
        await perform(self.next_act(call), self._async_clock)


class AsyncScriptedConnector:
    """A `connect=` callable that follows a script, one act for each call; then it succeeds.

    `opened` holds every connection made, in order.
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
        """How many of its connections are open."""
        return sum(not connection.closed for connection in self.opened)

    async def __call__(self) -> AsyncScriptedConnection:
        """Play the next act, and open a connection."""
        self.attempts += 1
        await perform(self._script.pop(0) if self._script else None, self._clock)
        connection = self.make(len(self.opened) + 1)
        self.opened.append(connection)
        return connection

    def make(self, number: int) -> AsyncScriptedConnection:
        """Make a connection; a subclass may make another kind."""
        return AsyncScriptedConnection(number, self._clock)


async def perform(act: AsyncAct, clock: AsyncClock) -> None:
    """Do what an act says, in the time of a clock."""
    if isinstance(act, BaseException):
        raise act
    if isinstance(act, AsyncGate):
        await act.pass_through()
    elif isinstance(act, tuple):
        for part in act:
            await perform(part, clock)
    elif act is not None:
        await clock.sleep(act)
