"""What a production install of steadypool has: PyMySQL and nothing else. Run by `.ci/wheels`."""

from importlib.metadata import distributions, entry_points
from pathlib import Path

from steadypool import AsyncConnectionPool, ConnectionPool, PoolConfigError, PoolTimeoutError
from steadypool.testing import ScriptedConnector, VirtualClock

installed = {found.metadata["Name"].lower() for found in distributions()}
assert installed - {"pip", "setuptools"} == {"steadypool", "pymysql"}, installed
assert not entry_points(group="pytest11"), "a production install registers a pytest plugin"

clock = VirtualClock()
pool = ConnectionPool(1, 0, connect=ScriptedConnector(), clock=clock)
with pool:
    asked = clock.now()
    try:
        pool.acquire(timeout=30)
    except PoolTimeoutError:
        assert clock.now() - asked == 30.0
    else:
        raise AssertionError("a second acquire of a pool of one must time out")
pool.close()

Path("config.yaml").write_text("databases: {}", encoding="utf-8")
for make, extra in (
    (lambda: ConnectionPool(config="config.yaml"), "config"),
    (lambda: AsyncConnectionPool(config="mysql://app@127.0.0.1/shop"), "asyncio"),
):
    try:
        make()
    except PoolConfigError as error:
        assert f"extra `{extra}`" in str(error), error
    else:
        raise AssertionError(f"without the extra {extra} a pool must say so")
print("steadypool alone: ok")
