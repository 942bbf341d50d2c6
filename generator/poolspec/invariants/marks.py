"""Entries of the log that change how the entries after them are read."""

SUSPENDED, RESUMED = "suspended", "resumed"
"""Logged around a suspension, in which connections may be idle while actors wait."""
NUMBERS_VOID = "numbers_void"
"""Logged when the server dies, and before it restarts and numbers connections from the start."""
INTERRUPTED = "interrupted"
"""Logged after a round that was interrupted; the next round has a new pool."""
REENTERED = "re-entered"
"""Logged after a round whose pool was re-entered; the next round has a new pool."""
ROUNDS = (INTERRUPTED, REENTERED)
SEEN_WAITING = "waiting"
"""Logged when the lab sees that an acquire waits; a detail names what was under way beside it."""
