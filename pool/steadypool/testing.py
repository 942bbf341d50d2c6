"""A virtual clock and scripted connections, for tests of code that uses a pool.

    clock = VirtualClock()
    connect = ScriptedConnector()
    pool = ConnectionPool(size=1, max_overflow=0, connect=connect, clock=clock)
    pool.acquire()
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=30)     # at once, and exactly 30 s later on this clock

**How time passes.** A `VirtualClock` counts *runnable participants*; the thread that makes the
clock is the first. A thread that waits on the clock is not runnable. When no participant is
runnable, time jumps to the earliest deadline of all waits. The waits with that deadline end in the
order in which they began. Waking a waiter makes its thread runnable before the waker continues, so
time cannot jump past a hand-over. All other work of a participant, such as computing or talking to
a real server, takes no time.

**Threads.** Call `enter()` before `thread.start()`; the new thread calls `leave()` at its end. To
block on something other than the clock, such as `thread.join()`, use `with clock.away():`. In a
forked child the thread that forked is the only participant.

If no participant is runnable and no wait has a deadline, the test can never continue. Then every
wait raises ClockStuckError. In a pool's test this means that a wake-up was lost.

**At rest.** The clock calls its attribute `at_rest`, if it is set, each time that all participants
wait, before time jumps. There a test sees a state in which nothing moves. It may wake waiters;
then time does not jump.
"""

from steadypool._testing.clock import ClockAbortedError, ClockStuckError, VirtualClock
from steadypool._testing.scripted import Act, Gate, ScriptedConnection, ScriptedConnector

__all__ = [
    "Act",
    "ClockAbortedError",
    "ClockStuckError",
    "Gate",
    "ScriptedConnection",
    "ScriptedConnector",
    "VirtualClock",
]
