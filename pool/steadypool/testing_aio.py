"""For tests of asyncio code that uses a pool: time that jumps, connections that follow a script.

    clock = AsyncVirtualClock()
    connect = AsyncScriptedConnector(clock=clock)
    pool = await AsyncConnectionPool.open(size=1, max_overflow=0, connect=connect, clock=clock)
    await pool.acquire()
    with pytest.raises(PoolTimeoutError):
        await pool.acquire(timeout=30)     # at once, and exactly 30 s later on this clock

**How time passes.** An `AsyncVirtualClock` counts *runnable participants*; the task that makes the
clock is the first. Who waits on the clock is not runnable. When nobody is runnable, time jumps to
the earliest deadline anybody waits for, and all waits with that deadline end, in the order in which
they began. Who is woken or cancelled is runnable from that moment, before his task has had its
turn, so time cannot jump past a hand-over or a cancellation. Whatever a participant awaits besides
the clock, such as a socket, counts as running and takes no time.

**Tasks.** `clock.spawn(work)` starts a task that takes part. Who starts tasks by other means calls
`enter()` before, and `leave()` at the task's end. Who waits for tasks does so in
`with clock.away():`; the end of a spawned task counts only after a few turns of the event loop, so
that whoever awaits it, also through `gather` or a task group, is back before time can jump.

If nobody is runnable and nobody has a deadline, every wait raises ClockStuckError: a wake-up was
lost. All of this belongs to one event loop.
"""

from steadypool._testing.async_clock import AsyncVirtualClock
from steadypool._testing.async_scripted import (
    AsyncAct,
    AsyncGate,
    AsyncScriptedConnection,
    AsyncScriptedConnector,
)

__all__ = [
    "AsyncAct",
    "AsyncGate",
    "AsyncScriptedConnection",
    "AsyncScriptedConnector",
    "AsyncVirtualClock",
]
