"""steadypool's own driver for threads, which extends PyMySQL."""

from typing import Any

import steadypool
import steadypool._drivers.mysql
from poolspec.adapters.steady_wiring import config_of
from poolspec.drivers.contract import Open
from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.servers import Tenant
from steadypool._core.entries import ConnectionState
from steadypool._drivers import dbapi

SESSION_STATES = {
    ConnectionState.IN_TRANSACTION: "a transaction that is open, or may be",
    ConnectionState.UNREAD: "an unread result",
    ConnectionState.RECONNECTED: "a session that its driver connected for another borrower",
    ConnectionState.READ_ONLY: "a server that refused to write",
    ConnectionState.CLOSED: "a closed socket",
}


class SteadyDriver(PyMySQLDriver):
    """Uses connections of steadypool's own class, and PyMySQL's."""

    def opener(self, tenant: Tenant) -> Open:
        """Return steadypool's own connector."""
        return steadypool.Connector(config_of(tenant))

    def session_state(self, connection: Any) -> str:
        """Return what its last use left behind, as steadypool's driver sees it."""
        if isinstance(connection, steadypool._drivers.mysql.Connection):
            return SESSION_STATES.get(dbapi.state(connection), "")
        return super().session_state(connection)
