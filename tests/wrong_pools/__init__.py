"""Pools that are wrong on purpose, each in one way in which real pools have been wrong.

Each is steadypool with a single rule broken. `test_wrong_pools.py` proves that the generated tests
notice every one of them, for threads and for asyncio. The modules group them by kind of fault.
"""

from tests.wrong_pools import (
    blocking,
    blocks,
    cancellation,
    checks,
    closing,
    configuration,
    connects,
    drains,
    emptying,
    forks,
    freed_slots,
    hooks,
    interrupts,
    leftovers,
    limits,
    maintenance,
    network,
    reentry,
    reports,
    sessions,
    silence,
    timeouts,
    waiters,
)
from tests.wrong_pools.faults import WRONG, WrongPool
from tests.wrong_pools.sound import SOUND

__all__ = [
    "SOUND",
    "WRONG",
    "WrongPool",
    "blocking",
    "blocks",
    "cancellation",
    "checks",
    "closing",
    "configuration",
    "connects",
    "drains",
    "emptying",
    "forks",
    "freed_slots",
    "hooks",
    "interrupts",
    "leftovers",
    "limits",
    "maintenance",
    "network",
    "reentry",
    "reports",
    "sessions",
    "silence",
    "timeouts",
    "waiters",
]
