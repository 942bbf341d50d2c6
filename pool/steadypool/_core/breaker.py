"""A circuit breaker for connects, as a plain state machine.

    closed ── `limit` connects in a row failed ──► open
    open ── the cooldown ends ──► one probe is admitted, then the next, longer cooldown starts
    any ── a connect succeeded ──► closed

The breaker does not wait for its probe. If the probe takes longer than a cooldown, or its thread is
interrupted, the next cooldown ends all the same and admits another. So a probe cannot be lost.
Until then the breaker refuses all other connects at once.
"""

from steadypool._core.settings import Settings


class Breaker:
    """Counts failed connects in a row. Not thread-safe: the caller holds the pool's lock."""

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.breaker_failures
        self._shortest = self.cooldown = settings.breaker_cooldown
        """The seconds until the next probe after a failed connect."""
        self._longest = max(settings.breaker_cooldown_limit, self.cooldown)
        self._until = 0.0
        self._failing_since = 0.0
        self.failures = 0
        """Failed connects since the last success."""

    @property
    def is_open(self) -> bool:
        """Whether the breaker refuses connects, except for probes."""
        return self.failures >= self._limit

    def admits(self, now: float) -> bool:
        """Return whether a connect may begin; a connect admitted by an open breaker is a probe."""
        if self.failures < self._limit:
            return True
        if now < self._until:
            return False
        self.cooldown = min(2 * self.cooldown, self._longest)
        self._until = now + self.cooldown
        return True

    def failed(self, now: float) -> bool:
        """Count a failed connect; return whether it opened the breaker."""
        if not self.failures:
            self._failing_since = now
        self.failures += 1
        self._until = now + self.cooldown
        return self.failures == self._limit

    def succeeded(self, now: float) -> float | None:
        """Close the breaker; return the length of the outage in seconds, or None without one."""
        if not self.failures:
            return None
        self.failures = 0
        self.cooldown = self._shortest
        return now - self._failing_since
