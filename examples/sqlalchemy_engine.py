"""SQLAlchemy's engine, dialect and ORM on steadypool's connections.

    export DATABASE_URL=mysql://app:secret@127.0.0.1/shop
    python examples/sqlalchemy_engine.py

`creator` is the engine's source of connections. With `NullPool` the engine keeps none: it asks for
a connection at each checkout and closes it at each checkin. The connection it gets is a thin
wrapper whose `close` releases the connection to steadypool. All other calls go to the connection.

Needs the package sqlalchemy (the extra `examples`).
"""

import os
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from steadypool import ConnectionPool


class LoanedConnection:
    """A connection on loan; closing it releases it to its pool."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._connection = pool.acquire()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def close(self) -> None:
        """Release the connection; the pool drops a broken one."""
        connection, self._connection = self._connection, None
        self._pool.release(connection)


def engine_on(pool: ConnectionPool) -> Engine:
    """Make an engine that uses the pool's connections."""
    return create_engine(
        "mysql+pymysql://", creator=lambda: LoanedConnection(pool), poolclass=NullPool
    )


def main() -> None:
    pool = ConnectionPool(
        size=2, config=os.environ.get("DATABASE_URL", "mysql://root@127.0.0.1/test")
    )
    try:
        engine = engine_on(pool)
        for word in ("first", "second"):
            with engine.begin() as connection:
                answer = connection.execute(text("SELECT :word"), {"word": word}).scalar_one()
                print(f"{answer}: {pool.stats().in_use} of {pool.stats().total_connections} in use")
        print(f"opened {pool.stats().created}, borrowed {pool.stats().acquired} times")
    finally:
        pool.close()


if __name__ == "__main__":
    main()
