"""For tests of code that uses a pool: time that jumps, and connections that follow a script.

    clock = VirtualClock()
    connect = ScriptedConnector()
    pool = ConnectionPool(size=1, max_overflow=0, connect=connect, clock=clock)
    pool.acquire()
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=30)     # at once, and exactly 30 s later on this clock

**How time passes.** A `VirtualClock` counts *runnable participants*; the thread that makes the
clock is the first. A thread that waits on the clock is not runnable. When nobody is runnable, time
jumps to the earliest deadline anybody waits for, and all waits with that deadline end, in the order
in which they began. Waking a waiter makes its thread runnable before the waker goes on, so time
cannot jump past a hand-over. Whatever a participant does without the clock (computing, talking to
a real server) takes no time.

**Threads.** Who starts a thread calls `enter()` before `thread.start()`; the thread calls `leave()`
at its end. Who blocks on something else than the clock, such as `thread.join()`, does so in
`with clock.away():`. In a forked child only the thread that forked takes part.

If nobody is runnable and nobody has a deadline, nothing can ever happen again: every wait raises
ClockStuckError. In a pool's test this means that a wake-up was lost.
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
