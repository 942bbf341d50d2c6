"""The reasons of a pool's health use singular and plural correctly."""

from dataclasses import replace

import pytest

from steadypool.health import Condition, assess
from steadypool.stats import PoolStats

SOUND = Condition(
    min_size=0,
    failures=0,
    refusing=False,
    last_error=None,
    leaks=0,
    suspended=False,
    closed=False,
)


def stats(waiting: int = 0, total: int = 0) -> PoolStats:
    nothing = dict.fromkeys(PoolStats.__slots__, 0)
    return PoolStats(**(nothing | {"waiting": waiting, "total_connections": total, "max_size": 9}))


@pytest.mark.parametrize(
    ("figures", "condition", "reason"),
    [
        (stats(waiting=1), SOUND, "1 acquire waits for a connection"),
        (stats(waiting=2), SOUND, "2 acquires wait for a connection"),
        (stats(), replace(SOUND, leaks=1), "1 loan lasts suspiciously long"),
        (stats(), replace(SOUND, leaks=3), "3 loans last suspiciously long"),
        (stats(total=1), replace(SOUND, min_size=2), "1 connection of at least 2"),
        (stats(total=0), replace(SOUND, min_size=2), "0 connections of at least 2"),
        (stats(total=1), replace(SOUND, failures=1), "connects fail: 1 connect failed"),
        (stats(total=1), replace(SOUND, failures=2), "connects fail: 2 connects in a row failed"),
    ],
)
def test_a_reason_uses_singular_and_plural(
    figures: PoolStats, condition: Condition, reason: str
) -> None:
    assert assess(figures, condition).reasons == (reason,)
