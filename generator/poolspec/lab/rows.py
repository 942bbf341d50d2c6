"""What a statement must return, and the figures that an adapter must report."""

from collections.abc import Mapping
from typing import Any, Protocol

from poolspec.drivers.contract import Row
from poolspec.vocabulary import Capability, StatName

__tracebackhide__ = True  # a failure is shown where the test failed


def check_rows(sql: str, seen: list[Row], returns: Any, rows: list[Row] | None) -> None:
    """Raise AssertionError unless a statement returned what the test expects."""
    if rows is not None and seen != rows:
        raise AssertionError(f"{sql}: expected rows {rows}, got {seen}")
    if returns is not ... and seen != [(returns,)]:
        raise AssertionError(f"{sql}: expected the single value {returns!r}, got {seen}")


class Counting(Protocol):
    """An adapter, in either concurrency mode."""

    name: str
    capabilities: frozenset[Capability]


def all_figures(adapter: Counting, stats: Mapping[str, int]) -> dict[str, int]:
    """Return a pool's figures. Raises AssertionError if the adapter claims all and lacks one."""
    missing = [name for name in StatName if name not in stats]
    if missing and Capability.STATISTICS in adapter.capabilities:
        lacking = ", ".join(missing)
        raise AssertionError(f"stats() of the adapter {adapter.name!r} lack {lacking}")
    return dict(stats)
