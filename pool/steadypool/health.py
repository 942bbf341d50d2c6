"""The health of a pool: a status, its reasons, and the figures behind them.

* *unhealthy*: an acquire would fail now. The pool is closed, the server is known to be down, or the
  last connect failed and no connection is open.
* *degraded*: the pool works with restrictions. Acquires wait, connects fail, the server is full, a
  loan may be a leak, fewer connections than the minimum are open, or the pool is suspended.
* *healthy*: none of these.
"""

from dataclasses import dataclass
from enum import StrEnum

from steadypool.stats import PoolStats


class HealthStatus(StrEnum):
    """Whether the pool can serve acquires."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of a pool that its health depends on, in addition to the statistics."""

    min_size: int
    failures: int
    """Failed connects in a row."""
    refusing: bool
    """Whether the breaker is open: acquires that need a connect are refused."""
    last_error: str | None
    """The explanation of the last connect if it failed."""
    leaks: int
    """Current loans that were reported as suspected leaks."""
    suspended: bool
    closed: bool
    full: bool = False
    """Whether a full server refused the last connect, and no connection is idle."""


@dataclass(frozen=True, slots=True)
class Health:
    """A pool's health at one moment."""

    status: HealthStatus
    reasons: tuple[str, ...]
    """The problems found, in words; empty if healthy."""
    stats: PoolStats
    condition: Condition

    @property
    def is_healthy(self) -> bool:
        """Whether the status is healthy."""
        return self.status is HealthStatus.HEALTHY


def assess(stats: PoolStats, condition: Condition) -> Health:
    """Derive the health from statistics and condition."""
    fatal = _fatal_reasons(stats, condition)
    reasons = fatal + _degrading_reasons(stats, condition)
    status = HealthStatus.DEGRADED if reasons else HealthStatus.HEALTHY
    return Health(HealthStatus.UNHEALTHY if fatal else status, tuple(reasons), stats, condition)


def _fatal_reasons(stats: PoolStats, condition: Condition) -> list[str]:
    if condition.closed:
        return ["the pool is closed"]
    if condition.refusing or (condition.failures and not stats.total_connections):
        return [f"the server cannot be reached: {_failing(condition)}"]
    if condition.full and not stats.total_connections:
        return [_full(condition)]
    return []


def _degrading_reasons(stats: PoolStats, condition: Condition) -> list[str]:
    if condition.closed:
        return []
    reasons = []
    if condition.failures and not condition.refusing and stats.total_connections:
        reasons.append(f"connects fail: {_failing(condition)}")
    if condition.full and stats.total_connections:
        reasons.append(_full(condition))
    if condition.suspended:
        reasons.append("the pool is suspended")
    if stats.waiting:
        waiting = _counted(stats.waiting, "acquire waits", "acquires wait")
        reasons.append(f"{waiting} for a connection")
    if condition.leaks:
        loans = _counted(condition.leaks, "loan lasts", "loans last")
        reasons.append(f"{loans} suspiciously long")
    if stats.total_connections < condition.min_size:
        opened = _counted(stats.total_connections, "connection", "connections")
        reasons.append(f"{opened} of at least {condition.min_size}")
    return reasons


def _full(condition: Condition) -> str:
    last = "" if condition.last_error is None else f": {condition.last_error}"
    return f"the server is full and refused the last connect{last}"


def _failing(condition: Condition) -> str:
    last = "" if condition.last_error is None else f", the last with: {condition.last_error}"
    failed = _counted(condition.failures, "connect failed", "connects in a row failed")
    return f"{failed}{last}"


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
