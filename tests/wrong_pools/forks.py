"""Pools that go wrong in a forked child."""

import threading

from tests.wrong_pools.faults import noticed_by

import steadypool


@noticed_by("forking.a_child_opens_its_own_connections")
class SharesWithItsChild(steadypool.ConnectionPool):
    """Uses the parent's connections in a forked child."""

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
