"""Whether a pool can serve: a verdict, the reasons, and the figures behind it.

* *unhealthy*: who needs a connection now will not get one - the pool is closed, the server is known
  to be down, or the last connect failed and no connection is open.
* *degraded*: it serves, but not as it should - somebody waits, connects fail, a loan looks like a
  leak, the minimum is not there, or the pool is suspended.
* *healthy*: anything else.
"""

from dataclasses import dataclass
from enum import StrEnum

from steadypool.stats import PoolStats


class HealthStatus(StrEnum):
    """The verdict."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a verdict is based on, besides the statistics."""

    min_size: int
    failures: int
    """Connects in a row that failed."""
    refusing: bool
    """Acquires that need a connect are refused, for the server is known to be down."""
    last_error: str | None
    """Why the last connect failed, if it did."""
    leaks: int
    """Loans of now that were reported for lasting too long."""
    suspended: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Health:
    """A pool's health at one moment."""

    status: HealthStatus
    reasons: tuple[str, ...]
    """What is wrong, in words; empty if nothing is."""
    stats: PoolStats
    condition: Condition

    @property
    def is_healthy(self) -> bool:
        """Whether nothing is wrong."""
        return self.status is HealthStatus.HEALTHY


def assess(stats: PoolStats, condition: Condition) -> Health:
    """Come to a verdict."""
    fatal = _what_is_fatal(stats, condition)
    reasons = fatal + _what_is_not_as_it_should_be(stats, condition)
    status = HealthStatus.DEGRADED if reasons else HealthStatus.HEALTHY
    return Health(HealthStatus.UNHEALTHY if fatal else status, tuple(reasons), stats, condition)


def _what_is_fatal(stats: PoolStats, condition: Condition) -> list[str]:
    if condition.closed:
        return ["the pool is closed"]
    if condition.refusing or (condition.failures and not stats.total_connections):
        return [f"the server cannot be reached: {_failing(condition)}"]
    return []


def _what_is_not_as_it_should_be(stats: PoolStats, condition: Condition) -> list[str]:
    if condition.closed:
        return []
    reasons = []
    if condition.failures and not condition.refusing and stats.total_connections:
        reasons.append(f"connects fail: {_failing(condition)}")
    if condition.suspended:
        reasons.append("the pool is suspended")
    if stats.waiting:
        waiting = _counted(stats.waiting, "acquire waits", "acquires wait")
        reasons.append(f"{waiting} for a connection")
    if condition.leaks:
        loans = _counted(condition.leaks, "loan lasts", "loans last")
        reasons.append(f"{loans} suspiciously long")
    if stats.total_connections < condition.min_size:
        there = _counted(stats.total_connections, "connection", "connections")
        reasons.append(f"{there} of at least {condition.min_size}")
    return reasons


def _failing(condition: Condition) -> str:
    last = "" if condition.last_error is None else f", the last with: {condition.last_error}"
    failed = _counted(condition.failures, "connect failed", "connects in a row failed")
    return f"{failed}{last}"


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
