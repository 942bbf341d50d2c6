"""The examples for Prometheus metrics and SQLAlchemy's engine."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from poolspec.servers import Server, Tenant
from sqlalchemy_engine import engine_on
from steadypool import ConnectionPool

EXAMPLES = Path(__file__).parents[2] / "examples"
Launch = Callable[..., Any]


def test_prometheus_reads_the_pools_statistics(launch: Launch) -> None:
    program = launch("prometheus_metrics.py")
    lines = program.client.get("/metrics").text.splitlines()
    pool = 'db_client_connection_pool_name="shop"'
    assert f'db_client_connection_count{{{pool},db_client_connection_state="idle"}} 5.0' in lines
    assert f'db_client_connection_count{{{pool},db_client_connection_state="used"}} 0.0' in lines
    assert f"db_client_connection_max{{{pool}}} 15.0" in lines
    assert f"db_client_connection_timeouts_total{{{pool}}} 0.0" in lines
    assert f"steadypool_created_total{{{pool}}} 5.0" in lines


def test_sqlalchemy_reuses_the_pools_connections(database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "sqlalchemy_engine.py")],
        env=os.environ | {"DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].startswith("opened 2, borrowed")


@pytest.fixture
def pool(database_url: str) -> Iterator[ConnectionPool]:
    pool = ConnectionPool(1, 0, timeout=10, config=database_url)
    yield pool
    pool.close()


@pytest.fixture
def engine(pool: ConnectionPool) -> Iterator[Engine]:
    engine = engine_on(pool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (id INT PRIMARY KEY)"))
    yield engine
    engine.dispose()


def things(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM things")).scalar_one())


def test_a_transaction_of_the_engine_commits_or_rolls_back(
    engine: Engine, pool: ConnectionPool
) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO things VALUES (1)"))
    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        connection.execute(text("INSERT INTO things VALUES (2)"))
        raise ZeroDivisionError
    assert things(engine) == 1
    assert (pool.stats().in_use, pool.stats().created) == (0, 1)


def test_a_connection_that_died_on_loan_is_replaced(
    engine: Engine, pool: ConnectionPool, server: Server, tenant: Tenant
) -> None:
    with pytest.raises(OperationalError), engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        for connection_id in server.connection_ids(tenant):
            server.kill_connection(connection_id)
        connection.execute(text("SELECT 1"))
    assert things(engine) == 0
    assert (pool.stats().in_use, pool.stats().total_connections) == (0, 1)
