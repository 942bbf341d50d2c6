"""How a test gets its pools: each is made here and wired into the test.

A pool opens its connections through the lab, shares the test's clock, and reports its events to the
test's log. The context knows everything that is made here; the lab undoes it.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from poolspec.drivers.weak import weakly
from poolspec.invariants.connection import Sockets
from poolspec.lab.aio.contract import AsyncPoolAdapter, AsyncWiring, configuring
from poolspec.lab.aio.held import AsyncHeld
from poolspec.lab.aio.opening import AsyncOpener
from poolspec.lab.aio.pool import AsyncContext, AsyncPool
from poolspec.vocabulary import Call, Flaw, Given, Listening, Target
from poolspec.witness.account import Account

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncPools:
    """Makes the pools of one test, and connections that belong to no pool."""

    def __init__(
        self,
        context: AsyncContext,
        adapter: AsyncPoolAdapter,
        opener: AsyncOpener,
    ) -> None:
        self._context = context
        self._adapter = adapter
        self._driver = adapter.driver
        self._opener = opener
        self._options: dict[str, Any] = {}
        self.strangers: list[AsyncHeld] = []
        """Connections that belong to no pool."""

    async def make(
        self, housekeeping: float | None, listener: str | None, options: dict[str, Any]
    ) -> AsyncPool:
        """Make the pool under test, with periodic maintenance if asked for."""
        self._context.listening = listener
        self._options = options
        pool = self._context.pools.own = self.registered(*await self.new())
        if housekeeping is not None:
            await pool.keep(housekeeping)
        return pool

    async def add(
        self, *, housekeeping: float | None = None, listener: str | None = None, **options: Any
    ) -> AsyncPool:
        """Make one more pool, in the same way. Tests call it as `make_pool`."""
        made = self._context.options(options)
        account = self._context.new_account(made)
        wiring = self.wiring(self.connector(account), account.pool, listener)
        pool = self.registered(await self._adapter.create(made, wiring), account)
        if housekeeping is not None:
            await pool.keep(housekeeping)
        return pool

    async def open(
        self, target: Target, given: Given, flaw: Flaw | None, options: dict[str, Any]
    ) -> AsyncPool:
        """Make one more pool, which connects by a configuration that leads to `target`."""
        made = self._context.options(options)
        account = self._context.new_account(made)
        account.connects_itself = True
        place = self._context.place(
            target, given, flaw, lambda one: self._count(account.sockets, one)
        )
        wiring = self.wiring(self.connector(account), account.pool)
        housekeeping = made.pop("housekeeping", None)
        raw = await configuring(self._adapter).open(made, place, wiring)
        pool = self.registered(raw, account)
        if housekeeping is not None:
            await pool.keep(housekeeping)
        return pool

    async def connect(self) -> AsyncHeld:
        """Open a connection that belongs to no pool."""
        stranger = AsyncHeld(await self._opener.open(), self._adapter, is_stranger=True)
        self._context.observer.strangers.add(stranger.number)
        self.strangers.append(stranger)
        return stranger

    async def new(self) -> tuple[Any, Account]:
        """Make one more pool with the options of the pool under test."""
        options = self._context.options(self._options)
        account = self._context.new_account(options)
        wiring = self._wiring(self.connector(account), 0)
        return await self._adapter.create(options, wiring), account

    def end(self, sockets: Sockets) -> None:
        """End the connections that a broken pool has left open."""
        for connection in sockets.open().values():
            with suppress(Exception):
                self._driver.end(connection)

    def wiring(
        self, connect: Callable[[], Awaitable[Any]], number: int, listener: str | None = None
    ) -> AsyncWiring:
        """Return the wiring of a further pool with the test."""
        listen = None if listener == Listening.NONE else self._context.numbered_listener(number)
        return replace(self._wiring(connect, number), listen=listen)

    def registered(self, raw: Any, account: Account) -> AsyncPool:
        """Return the pool under test for a pool of the adapter's."""
        adapter, witness = self._adapter, self._context.witness
        return self._context.pools.register(raw, lambda: AsyncPool(raw, account, adapter, witness))

    def connector(self, account: Account) -> Callable[[], Awaitable[Any]]:
        """Return a callable that opens and counts one connection."""

        async def connect() -> Any:
            is_held = self._context.calls.holds(Call.CONNECT)
            with self._context.witness.connecting(account, is_held=is_held):
                connection = await self._opener.connect()
                self._count(account.sockets, connection)
                return connection

        return connect

    def _wiring(self, connect: Callable[[], Awaitable[Any]], number: int) -> AsyncWiring:
        """Return the wiring of a pool with the test; number 0 is the test's own pool."""
        context = self._context
        meter = context.meters.of_new(number)
        return AsyncWiring(connect, context.clock, context.time, context.listener, meter)

    def _count(self, sockets: Sockets, connection: Any) -> None:
        """Count a connection while its socket is open."""
        driver = self._driver

        weak = weakly(connection)

        def reopened() -> None:
            own = weak()
            sockets.reopened(driver.number_of(own), own, driver.make_of(own))

        number, make = driver.number_of(connection), driver.make_of(connection)
        if sockets.opened(number, connection, make):
            driver.watch(connection, sockets.end_of(connection), reopened)
