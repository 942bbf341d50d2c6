"""The faults that a test sets and heals."""

import asyncio
from collections.abc import Iterator

from poolspec.faults.front import OF_FRONT
from poolspec.faults.network import OF_NETWORK
from poolspec.faults.terms import FaultTerms, only
from poolspec.lab.aio.pool import AsyncContext
from poolspec.vocabulary import CALL_FAULTS, Fault, ServerSetting

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncFaults:
    """Breaks calls, connections or the server of one test."""

    def __init__(self, context: AsyncContext) -> None:
        self._context = context

    async def set(self, fault: Fault, terms: FaultTerms) -> None:
        """Set a fault; if it `lasts` for some time, let that time pass and heal it."""
        self._context.log.add("fault", detail=fault)
        if fault in CALL_FAULTS:
            self._context.calls.set(
                fault,
                seconds=terms.get("seconds", 0.0),
                times=terms.get("times"),
                after=terms.get("after", 0),
            )
        else:
            await asyncio.to_thread(self._strike, fault, terms)
        if "lasts" in terms:
            await self._heal_after(fault, terms["lasts"])

    async def heal(self, fault: Fault) -> None:
        """End a fault."""
        context = self._context
        if fault in CALL_FAULTS:
            context.calls.clear(fault)
        elif fault in OF_NETWORK:
            await asyncio.to_thread(context.network.clear, fault)
        else:
            await asyncio.to_thread(context.server_faults.clear, fault)
        self._context.log.add("healed", detail=fault)

    async def _heal_after(self, fault: Fault, seconds: float) -> None:
        """Let time pass and end a fault, also if the actor that set it is interrupted."""
        try:
            await self._context.clock.sleep(seconds)
        finally:
            await self.heal(fault)

    def _elsewhere(self, terms: FaultTerms) -> Iterator[int]:
        """Yield the numbers of the connections of other pools than the one that is named."""
        named = terms.get("of")
        for sockets in self._context.sockets:
            if named is not None and sockets is not named.sockets:
                yield from sockets.numbers()

    def _strike(self, fault: Fault, terms: FaultTerms) -> None:
        """Break the network, the server, or its end of connections. Blocks for a moment."""
        faults, held = self._context.server_faults, self._context.pools.numbers()
        if fault in OF_NETWORK:
            self._context.network.set(fault, terms, held)
        elif fault is Fault.CONNECTION_KILLED:
            faults.kill([only(terms["on"]).number])
        elif fault is Fault.QUERY_KILLED:
            faults.kill_statement(only(terms["on"]).number)
        elif fault is Fault.IDLE_KILLED:
            faults.kill_idle({*held, *self._elsewhere(terms)})
        elif fault in OF_FRONT:
            faults.slow_down(fault, terms.get("seconds"))
        elif fault is Fault.IDLE_TIMED_OUT:
            seconds = faults.settings.value(ServerSetting.WAIT_TIMEOUT)
            faults.time_out_idle(held, seconds)
        elif fault is Fault.ACCOUNT_FULL:
            faults.fill_account(terms["limit"])
        elif fault is Fault.SERVER_FULL:
            faults.fill_server(terms["limit"])
        else:
            faults.set(fault, terms.get("server"))
