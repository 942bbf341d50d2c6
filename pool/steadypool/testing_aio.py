"""A virtual clock and scripted connections, for tests of asyncio code that uses a pool.

    clock = AsyncVirtualClock()
    connect = AsyncScriptedConnector(clock=clock)
    pool = await AsyncConnectionPool.open(size=1, max_overflow=0, connect=connect, clock=clock)
    await pool.acquire()
    with pytest.raises(PoolTimeoutError):
        await pool.acquire(timeout=30)     # at once, and exactly 30 s later on this clock

**How time passes.** An `AsyncVirtualClock` counts *runnable participants*; the task that makes the
clock is the first. A task that waits on the clock is not runnable. When no participant is runnable,
time jumps to the earliest deadline of all waits. The waits with that deadline end in the order in
which they began. Waking or cancelling a task makes it runnable at once, before its next turn, so
time cannot jump past a hand-over or a cancellation. A participant that awaits something other than
the clock, such as a socket, counts as runnable; such waits take no time.

**Tasks.** `clock.spawn(work)` starts a task as a participant. For a task started in another way,
call `enter()` before its start and `leave()` at its end. Wait for tasks in `with clock.away():`.
The end of a spawned task counts only after a few turns of the event loop. So a task that awaits it,
also through `gather` or a task group, continues before time can jump.

If no participant is runnable and no wait has a deadline, every wait raises ClockStuckError: a
wake-up was lost. A clock and its tasks belong to one event loop.

**At rest.** The clock calls its attribute `at_rest`, if it is set, each time that all participants
wait, before time jumps. There a test sees a state in which nothing moves. It may wake or cancel
tasks; then time does not jump.
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
