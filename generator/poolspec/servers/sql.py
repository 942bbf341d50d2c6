"""A server that is managed in SQL: the part that all kinds share.

Plain statements make, count and drop tenants, so a private instance, the embedded server and a
server named by a URL behave alike. Only names from an allow-list reach a statement.
"""

import re
from contextlib import suppress
from typing import Any

from poolspec.servers.admin import Admin, RefusedError, open_connection
from poolspec.servers.base import Address, Server, ServerError, ServerKind, Tenant
from poolspec.servers.names import is_foreign, is_name, is_orphan, new_name, new_password
from poolspec.servers.rights import DENIED, lacking
from poolspec.servers.tenants import tenants_on
from poolspec.vocabulary import Capability

BLOCKED = re.compile(
    r"^---TRANSACTION .*\n(?:(?!---|LOCK WAIT|\w+ thread id).*\n)*LOCK WAIT .*\n"
    r"(?:(?!---).*\n)*?\w+ thread id (\d+)",
    re.MULTILINE,
)
"""The number of a connection whose transaction waits for a lock."""
FULL = frozenset({Capability.ROW_LOCKS, Capability.ISOLATION_LEVELS})
_EACH = frozenset({Capability.LINE, Capability.PROTOCOL})
"""Any server can be reached over one more line."""
_NO_SUCH_THREAD = 1094
_CONNECT_SECONDS = 10
_MAY_NOT = "may not make a user"
_UNLIMITED = 100_000
"""A limit that no test reaches."""


class SqlServer(Server):
    """A server with an administrator's connection."""

    def __init__(
        self,
        kind: ServerKind,
        address: Address,
        admin: Admin,
        version: str,
        capabilities: frozenset[Capability],
    ) -> None:
        self.kind = kind
        self.address = address
        self.version = version
        self.capabilities = capabilities | _EACH
        self._admin = admin

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.description}>"

    @property
    def description(self) -> str:
        """Product, version and address."""
        return f"{product(self.version)}, at {self.address}"

    def create_tenant(self) -> Tenant:
        """Make a database and a user; raises ServerError if the account lacks a right."""
        return self.make_tenant(new_name(), new_password())

    def make_tenant(self, name: str, password: str) -> Tenant:
        """Make a tenant with this name and password; raises ServerError."""
        _check(name)
        steps = {
            f"CREATE DATABASE {name}": "may not make a database",
            f"CREATE USER '{name}'@'%' IDENTIFIED BY '{password}' {_limited()}": _MAY_NOT,
            f"GRANT ALL ON {name}.* TO '{name}'@'%'": "may not grant rights on its own database",
        }
        try:
            for statement, what in steps.items():
                self._make(statement, what, password)
        except BaseException:
            self._take_back(name)
            raise
        return Tenant(name, name, password, self.address)

    def drop_tenant(self, tenant: Tenant) -> None:
        """Drop everything of the tenant; idempotent."""
        self._drop(tenant.user)

    def connect(self, tenant: Tenant) -> "SqlConnection":
        """Open a connection as a tenant, for the test itself. Raises the driver's errors."""
        return SqlConnection(tenant)

    def connection_ids(self, tenant: Tenant) -> frozenset[int]:
        """Ask the server's process list."""
        return self._ids(tenant.user)

    def kill_connection(self, connection_id: int) -> None:
        """Have the server end a connection. A connection that has already ended is no error."""
        self._kill("CONNECTION", connection_id)

    def runs_statement(self, connection_id: int) -> bool:
        """Ask the server's process list."""
        rows = self._admin.run(
            f"SELECT COMMAND FROM information_schema.processlist WHERE ID = {int(connection_id)}"
        )
        return [tuple(row) for row in rows] == [("Query",)]

    def blocked(self) -> frozenset[int]:
        """Ask the engine's monitor: its table of transactions lags by 100 ms."""
        ((*_, status),) = self._admin.run("SHOW ENGINE INNODB STATUS")
        return frozenset(int(number) for number in BLOCKED.findall(str(status)))

    def kill_statement(self, connection_id: int) -> None:
        """Have the server end the statement that a connection runs, and keep the connection."""
        self._kill("QUERY", connection_id)

    def _kill(self, what: str, connection_id: int) -> None:
        try:
            self._admin.run(f"KILL {what} {int(connection_id)}")
        except RefusedError as error:
            if error.code in DENIED:
                what = "may not kill the connections of others"
                raise lacking(self._admin, self.version, what, error) from None
            if error.code != _NO_SUCH_THREAD:
                raise ServerError(
                    f"The server refused to kill connection {connection_id}: {error}"
                ) from None

    def limit_connections(self, tenant: Tenant, limit: int | None) -> None:
        """Change the account's limit. It has one from the start, so that MariaDB counts."""
        _check(tenant.user)
        self._admin.run(f"ALTER USER '{tenant.user}'@'%' {_limited(limit)}")

    def change_password(self, tenant: Tenant, password: str) -> None:
        """Change the account. Only a password of `new_password` is safe in the statement."""
        _check(tenant.user)
        self._admin.run(f"ALTER USER '{tenant.user}'@'%' IDENTIFIED BY '{password}'")

    def check(self) -> None:
        """Ask the server for an answer."""
        try:
            self._admin.run("SELECT 1")
        except RefusedError as error:
            raise ServerError(
                f"The server at {self.address} refused a statement: {error}"
            ) from None

    def orphans(self) -> tuple[str, ...]:
        """Find tenants whose process on this machine has ended."""
        return tuple(name for name in tenants_on(self._admin) if is_orphan(name))

    def foreign(self) -> tuple[str, ...]:
        """Find tenants of other machines. Their processes cannot be seen, so none is dropped."""
        return tuple(name for name in tenants_on(self._admin) if is_foreign(name))

    def drop_orphans(self) -> tuple[str, ...]:
        """Drop them, and return their names."""
        names = self.orphans()
        for name in names:
            self._drop(name)
        return names

    def stop(self) -> None:
        """Close the administrator's connection; idempotent."""
        self._admin.close()

    def _make(self, statement: str, what: str, password: str) -> None:
        """Run a statement that makes a part of a tenant; `what` completes the error's sentence."""
        try:
            self._admin.run(statement)
        except RefusedError as error:
            if error.code in DENIED:
                raise lacking(self._admin, self.version, what, error) from None
            raise ServerError(
                f"The server at {self.address} refused to make a test's database and user: "
                f"{_without(password, str(error))}"
            ) from None

    def _take_back(self, name: str) -> None:
        """Drop the parts of a tenant that could not be made completely."""
        for statement in (f"DROP USER IF EXISTS '{name}'@'%'", f"DROP DATABASE IF EXISTS {name}"):
            with suppress(ServerError):  # an account that may not make it may not drop it either
                self._admin.run(statement)

    def _ids(self, user: str) -> frozenset[int]:
        _check(user)
        rows = self._admin.run(
            f"SELECT ID FROM information_schema.processlist WHERE USER = '{user}'"
        )
        return frozenset(int(number) for (number,) in rows)

    def _drop(self, name: str) -> None:
        # The user is dropped first, so that no client signs in while connections are killed.
        _check(name)
        self._admin.run(f"DROP USER IF EXISTS '{name}'@'%'")
        try:
            for number in self._ids(name):
                self.kill_connection(number)
        finally:
            self._admin.run(f"DROP DATABASE IF EXISTS {name}")


class SqlConnection:
    """A connection of a test itself; `OwnConnection` describes it."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = open_connection(
            tenant.address,
            tenant.user,
            tenant.password,
            timeout=_CONNECT_SECONDS,
            database=tenant.database,
        )
        self.number = self._connection.thread_id()  # type: ignore[no-untyped-call]  # the stub has no hints

    @property
    def numbers(self) -> frozenset[int]:
        """Its number at the server, alone."""
        return frozenset({self.number})

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement and return all rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def close(self) -> None:
        """Close it; idempotent."""
        if self._connection.open:
            self._connection.close()


def _limited(limit: int | None = None) -> str:
    return f"WITH MAX_USER_CONNECTIONS {int(limit or _UNLIMITED)}"


def product(version: str) -> str:
    """Return the name and number of the product in a server's version string."""
    number, _, rest = version.partition("-")
    if "embedded" in rest:
        return f"embedded server (MySQL protocol over SQLite {rest.rpartition('-')[2]})"
    return f"{'MariaDB' if 'mariadb' in rest.lower() else 'MySQL'} {number}"


def _check(name: str) -> None:
    if not is_name(name):
        raise ServerError(
            f"{name!r} is not a tenant of poolspec; only its own tenants are dropped."
        )


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "…")
