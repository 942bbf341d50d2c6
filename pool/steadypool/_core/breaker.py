"""When it is no use to connect: a circuit breaker, as a plain state machine.

    closed ── `limit` connects in a row failed ──► open
    open ── the cooldown is over ──► one probe is admitted, then the next cooldown runs
    any ── a connect succeeded ──► closed

A probe is not waited for: if it takes longer than a cooldown, or its thread is interrupted, another
is admitted then. So no probe can be lost, and whoever asks meanwhile is refused at once.
"""


class Breaker:
    """Counts failed connects in a row. Not thread-safe: the caller holds the pool's lock."""

    def __init__(self, limit: int, cooldown: float) -> None:
        self._limit = limit
        self._cooldown = cooldown
        self._until = 0.0
        self._failing_since = 0.0
        self.failures = 0
        """Failed connects since the last that succeeded."""

    @property
    def is_open(self) -> bool:
        """Whether connects are refused, save for the probes."""
        return self.failures >= self._limit

    def admits(self, now: float) -> bool:
        """Ask for leave to connect; what is admitted while the breaker is open is a probe."""
        if self.failures < self._limit:
            return True
        if now < self._until:
            return False
        self._until = now + self._cooldown
        return True

    def failed(self, now: float) -> bool:
        """Count a connect that failed; returns whether that made it open."""
        if not self.failures:
            self._failing_since = now
        self.failures += 1
        self._until = now + self._cooldown
        return self.failures == self._limit

    def succeeded(self, now: float) -> float | None:
        """Close; returns for how long connects had been failing, or None if they had not."""
        if not self.failures:
            return None
        self.failures = 0
        return now - self._failing_since
