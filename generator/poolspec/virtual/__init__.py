"""Virtual time for pools that take no clock: virtual `threading`, `queue` and `time`.

    with virtual_modules(clock, "sqlalchemy.pool.base", "sqlalchemy.util.queue"):
        pool = QueuePool(connect, timeout=30)     # waits on the clock, for exactly 30 s

**How it works.** For as long as the block lasts, names in these modules that mean something of
`threading`, `queue` or `time` mean its virtual counterpart (`replacements` has the table, `modules`
finds the names). Every wait of a virtual lock, condition or queue is a wait of the clock, made by
the waiting thread. So the clock knows which threads wait and until when, and time jumps only when
none can run. Everything else takes no time: computing, and I/O, also under a lock of the pool.

**Threads.** A thread that the modules start counts as a participant of the clock from before its
start to its end. So do all threads that others start within the block: they call the clock's
`enter` and `leave`. A thread that was there before the block, other than the one that enters it,
counts only while it waits.

**After the block** the names mean the real things again. Objects made within the block keep their
clock, so a pool can be closed later. When the clock no longer works, a thread that the modules have
started ends at its next wait.

**asyncio.** The event loop of an asyncio test is virtual itself; `virtual_readings` makes only the
time that modules read virtual, such as `time.time()`.

**Limits.** Only pure Python modules can be made virtual, and only their names: a function that
imports `time` when it runs gets the real one. A lock that a module holds for good (a global) is
replaced too if it is free; a condition, an event or a queue is not.
"""

from poolspec.virtual.modules import VirtualModulesError, virtual_modules, virtual_readings
from poolspec.virtual.waits import Clock, Waiter

__all__ = ["Clock", "VirtualModulesError", "Waiter", "virtual_modules", "virtual_readings"]
