"""Base classes for drivers: what DB-API and its usual asyncio form have in common."""

from collections.abc import Callable
from typing import Any

from poolspec.drivers.contract import AsyncOpen, Open, Row
from poolspec.servers import Tenant


class DbapiDriver:
    """Runs statements through cursors, as every DB-API library can."""

    def opener(self, tenant: Tenant) -> Open:
        """Return a callable that opens one connection as a tenant."""
        raise NotImplementedError

    def plain(self, tenant: Tenant) -> Open:
        """Return the same callable: these are the library's own connections."""
        return self.opener(tenant)

    def run(self, connection: Any, sql: str, params: tuple[Any, ...]) -> list[Row]:
        """Run a statement and return all rows."""
        with connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def change_one(
        self, connection: Any, sql: str, params: tuple[Any, ...], check: Callable[[Any], object]
    ) -> None:
        """Run a statement, then call `check` with its cursor."""
        with connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            check(cursor)

    def commit(self, connection: Any) -> None:
        """Commit a transaction."""
        connection.commit()


class AsyncDbapiDriver:
    """Runs statements through cursors that are async contexts."""

    def opener(self, tenant: Tenant) -> AsyncOpen:
        """Return a callable that opens one connection as a tenant."""
        raise NotImplementedError

    def plain(self, tenant: Tenant) -> AsyncOpen:
        """Return the same callable: these are the library's own connections."""
        return self.opener(tenant)

    async def run(self, connection: Any, sql: str, params: tuple[Any, ...]) -> list[Row]:
        """Run a statement and return all rows."""
        async with connection.cursor() as cursor:
            await cursor.execute(sql, params or None)
            return [tuple(row) for row in await cursor.fetchall()] if cursor.description else []

    async def change_one(
        self, connection: Any, sql: str, params: tuple[Any, ...], check: Callable[[Any], object]
    ) -> None:
        """Run a statement, then call `check` with its cursor."""
        async with connection.cursor() as cursor:
            await cursor.execute(sql, params or None)
            check(cursor)

    async def commit(self, connection: Any) -> None:
        """Commit a transaction."""
        await connection.commit()
