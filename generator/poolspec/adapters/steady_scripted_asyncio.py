"""Foreign connections for the asyncio form of steadypool; see `steady_scripted`."""

from functools import partial
from typing import Any

from poolspec.adapters.steady_scripted import Bare, Seen, acts, alive
from poolspec.drivers.contract import Planned
from poolspec.vocabulary import Call
from steadypool.protocols import AsyncClock as PoolClock
from steadypool.testing_aio import AsyncGate, AsyncScriptedConnection, AsyncScriptedConnector


class AsyncScripted(Seen, AsyncScriptedConnection):
    """A scripted connection of the asyncio form."""

    def __init__(self, number: int, clock: PoolClock, planned: Planned) -> None:
        super().__init__(number, clock)
        self._planned = planned
        self._gate = partial(AsyncGate, clock)

    def next_act(self, call: str) -> Any:
        """Return what the lab has planned. A rollback without a transaction counts as a ping."""
        asked = Call(call)
        if asked is Call.ROLLBACK and not self.in_transaction:
            asked = Call.PING
        return acts(self._planned(asked), self._gate)


class _Connector(AsyncScriptedConnector):
    def __init__(self, clock: PoolClock, planned: Planned) -> None:
        super().__init__(clock=clock)
        self._planned = planned

    def make(self, number: int) -> AsyncScripted:
        return AsyncScripted(number, self._clock, self._planned)


class AsyncSteadyScripted:
    """The scripted server of a test, in one event loop."""

    def __init__(self, clock: Any, planned: Planned, minimal: bool) -> None:
        self._connector = _Connector(clock, planned)
        self._planned = planned
        self._gate = partial(AsyncGate, clock)
        self._minimal = minimal

    async def open(self) -> Any:
        """Open a connection as planned."""
        self._connector.then(acts(self._planned(Call.CONNECT), self._gate))
        connection = await self._connector()
        return Bare(connection) if self._minimal else connection

    def alive(self) -> frozenset[int]:
        """Return the numbers of the connections that a server would still have."""
        return alive(self._connector.opened)

    def kill(self, number: int) -> None:
        """Cut a connection off from its server."""
        self._connector.opened[number - 1].die()
