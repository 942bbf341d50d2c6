"""A connection that an actor of an asyncio test holds or held."""

from typing import Any

from poolspec.drivers.contract import Row
from poolspec.invariants.log import current_actor
from poolspec.lab.aio.contract import AsyncPoolAdapter, controls_of
from poolspec.lab.borrowing.blocks import AsyncEnteredBlock
from poolspec.lab.contract import raw_of
from poolspec.lab.rows import check_rows

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncHeld:
    """A connection that an actor holds or held."""

    def __init__(self, raw: Any, adapter: AsyncPoolAdapter, *, is_stranger: bool = False) -> None:
        self.raw = raw
        """What the pool handed out, or the connection of a stranger, which belongs to no pool."""
        self._adapter = adapter
        self._driver = adapter.driver
        self._is_stranger = is_stranger
        self.number = self._driver.number_of(self.physical)
        """The connection's number at the server."""
        self.holder = current_actor()
        """The actor that borrowed it."""
        self.asked_by = ""
        """The actor whose statement runs on it; empty if none does."""
        self.block: AsyncEnteredBlock | None = None
        """The block that the step `enter` entered."""

    @property
    def physical(self) -> Any:
        """The driver's own connection."""
        return self.raw if self._is_stranger else raw_of(self._adapter, self.raw)

    def current_number(self) -> int:
        """Return its number now, which changes when pool or driver connects again."""
        own = self.physical
        return self.number if own is None else self._driver.number_of(own)

    def __repr__(self) -> str:
        """Name it by its number at the server."""
        return f"<connection {self.number}>"

    async def query(
        self,
        sql: str,
        params: tuple[Any, ...] = (),
        *,
        returns: Any = ...,
        rows: list[Row] | None = None,
        unread: bool = False,
        changes_one: bool = False,
    ) -> None:
        """Run a statement, and check the single value or the rows that it returns.

        Raises AssertionError if it returns anything else, and the driver's error if it fails. With
        `unread` its rows stay unread; with `changes_one` the pool checks that it changed exactly
        one row.
        """
        self.asked_by = current_actor()
        try:
            if unread:
                await self._driver.leave_unread(self.physical, sql, params)
            elif changes_one:
                check = controls_of(self._adapter).expect_one
                await self._driver.change_one(self.raw, sql, params, check)
            else:
                check_rows(sql, await self._driver.run(self.raw, sql, params), returns, rows)
        finally:
            self.asked_by = ""
