"""SQLAlchemy on steadypool: SQLAlchemy's engine, dialect and ORM, steadypool's connections.

    export DATABASE_URL=mysql://app:secret@127.0.0.1/shop
    python examples/sqlalchemy_engine.py

`creator` tells the engine where connections come from, and `NullPool` that it shall not keep them:
it asks for one at each checkout and closes it at each checkin. What it is given is a thin wrapper
whose `close` gives the connection back to steadypool. All else is the connection's own.

Needs the package sqlalchemy (the extra `examples`).
"""

import os
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from steadypool import ConnectionPool


class Lent:
    """A connection on loan, which goes back to its pool when it is closed."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._connection = pool.acquire()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def close(self) -> None:
        """Give the connection back; a broken one is thrown away there."""
        connection, self._connection = self._connection, None
        self._pool.release(connection)


def engine_on(pool: ConnectionPool) -> Engine:
    """Make an engine whose connections are the pool's."""
    return create_engine("mysql+pymysql://", creator=lambda: Lent(pool), poolclass=NullPool)


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
