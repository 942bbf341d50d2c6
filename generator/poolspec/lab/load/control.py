"""The control of a measurement: a fixed workload on the test's server, without a pool.

A busy or slow machine slows a load down, and also the control that runs just before and just after
it, in the same process and in the same concurrency mode. The load's figures relative to those
of the control are then comparable between runs. The control has a tenant of its own, and each of
its clients has its own connection, opened by the adapter's driver.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from poolspec.drivers.contract import AsyncDriver, Driver
from poolspec.lab.load.tasks import COUNT, CREATE, INSERT
from poolspec.servers import Server, Tenant

CLIENTS, EACH = 20, 40
"""A slice of the control: it takes about a quarter of a second."""
READ = "SELECT 1"
PATTERN = "rrwrrcrrwr"
"""The operations of a client in order, over and over: 70 % reads, 20 % writes, 10 % both."""


@dataclass(slots=True)
class Figures:
    """The time and CPU that the slices of a control took together."""

    operations: int = 0
    elapsed: float = 0.0
    cpu: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """Return operations per second, and seconds of this process's CPU for each operation."""
        return {
            "throughput": round(self.operations / self.elapsed, 3),
            "cpu": round(self.cpu / self.operations, 9),
        }

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Add the time and CPU that a block of one slice takes."""
        elapsed, cpu = time.perf_counter(), time.process_time()
        yield
        self.elapsed += time.perf_counter() - elapsed
        self.cpu += time.process_time() - cpu
        self.operations += CLIENTS * EACH


def run_slice(server: Server, driver: Driver | AsyncDriver, figures: Figures) -> None:
    """Run a slice of the control, and add its time and CPU to the figures."""
    tenant = server.create_tenant()
    try:
        own = server.connect(tenant)
        own.run(CREATE)
        own.close()
        if asyncio.iscoroutinefunction(driver.run):
            _run_tasks(driver, tenant, figures)
        else:
            _run_threads(driver, tenant, figures)
    finally:
        server.drop_tenant(tenant)


def _run_threads(driver: Any, tenant: Tenant, figures: Figures) -> None:
    connections = [driver.plain(tenant)() for _ in range(CLIENTS)]
    clients = [
        threading.Thread(target=_work, args=(driver, connection, n), name=f"control-{n + 1}")
        for n, connection in enumerate(connections)
    ]
    with figures.measured():
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    for connection in connections:
        connection.close()


def _work(driver: Driver, connection: Any, client: int) -> None:
    for number, kind in _operations(client):
        if kind == "r":
            driver.run(connection, READ, ())
            continue
        driver.run(connection, INSERT, (number, client))
        if kind == "c":
            driver.run(connection, COUNT, ())
        driver.commit(connection)


def _run_tasks(driver: Any, tenant: Tenant, figures: Figures) -> None:
    async def work() -> None:
        connections = [await driver.plain(tenant)() for _ in range(CLIENTS)]
        with figures.measured():
            clients = (_work_async(driver, one, n) for n, one in enumerate(connections))
            await asyncio.gather(*clients)
        for connection in connections:
            if isawaitable(closing := connection.close()):
                await closing

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()


async def _work_async(driver: AsyncDriver, connection: Any, client: int) -> None:
    for number, kind in _operations(client):
        if kind == "r":
            await driver.run(connection, READ, ())
            continue
        await driver.run(connection, INSERT, (number, client))
        if kind == "c":
            await driver.run(connection, COUNT, ())
        await driver.commit(connection)


def _operations(client: int) -> Iterator[tuple[int, str]]:
    """Yield the number and the kind of each operation of a client."""
    for n in range(EACH):
        yield client * EACH + n, PATTERN[n % len(PATTERN)]
