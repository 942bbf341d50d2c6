"""A pool that reconnects its connections in place has as many connections as before."""

from mysql.connector.pooling import MySQLConnectionPool
from tests.drivers.settling import settled

from poolspec.invariants.connection import Sockets
from poolspec.invariants.log import Log
from poolspec.servers import Server, Tenant
from poolspec.testing import ConnectorDriver, Replaced

DRIVER = ConnectorDriver()


def test_a_connection_that_its_pool_reconnects_is_counted_once(
    server: Server, tenant: Tenant
) -> None:
    connects = Replaced("mysql.connector.pooling", keyword="host")
    log = Log(lambda: 0.0)

    def tell(kind: str, number: int, was: int | None = None) -> None:
        log.add(kind, connection=number, was=was)

    sockets = Sockets(tell)

    def connect() -> object:
        one = DRIVER.opener(tenant)()

        def reopened() -> None:
            sockets.reopened(DRIVER.number_of(one), one, DRIVER.make_of(one))

        sockets.opened(DRIVER.number_of(one), one, DRIVER.make_of(one))
        DRIVER.watch(one, sockets.end_of(one), reopened)
        return one

    pool = MySQLConnectionPool(pool_size=1, pool_name="lab", **connects(connect))
    borrowed = pool.get_connection()
    assert DRIVER.run(borrowed, "SELECT 1", ()) == [(1,)]
    number = borrowed.connection_id
    borrowed.close()
    server.kill_connection(number)
    assert settled(lambda: server.connection_ids(tenant), frozenset()) == frozenset()
    borrowed = pool.get_connection()
    other = borrowed.connection_id
    assert sockets.numbers() == {other} == server.connection_ids(tenant)
    assert (sockets.created, sockets.closed, sockets.peak) == (1, 0, 1)
    seen = [(str(entry.kind), entry.connection, entry.was) for entry in log.entries()]
    assert seen == [
        ("socket_opened", number, None),
        ("socket_closed", number, None),
        ("socket_reopened", other, number),
    ]
    borrowed.close()
    pool._remove_connections()
    assert sockets.closed == 1
