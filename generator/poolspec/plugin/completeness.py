"""Records whether all tests of a run have run, and why not; passes signals on to the workers.

Used in the controlling process.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from poolspec.plugin.recovery import OUTPUT, stop_key, stopping


class Completeness:
    """Counts the tests that were collected and those that have run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stopping = stopping(config)
        self._collected = 0
        self._ran: set[str] = set()
        self._interrupted = False
        self._stopped = ""

    @property
    def stopped(self) -> str:
        """Why the environment stopped the run; empty if it has not."""
        return self._stopped or self._config.stash.get(stop_key, "")

    def partial(self) -> str:
        """Return why not all tests have run, with their number; empty if they have."""
        if len(self._ran) >= self._collected and not self.stopped and not self._interrupted:
            return ""
        what = "interrupted" if self._interrupted and not self.stopped else "stopped"
        why = f": {self.stopped}" if self.stopped else ""
        return f"{what} after {len(self._ran)} of {self._collected} tests{why}"

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> None:
        """Note how many tests were collected."""
        self._collected = len(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Note how many tests a worker has collected; all collect the same ones."""
        self._collected = len(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note that a test has run to its end, or that its worker has crashed."""
        if report.when not in ("setup", "call"):
            self._ran.add(report.nodeid)

    def pytest_keyboard_interrupt(self) -> None:
        """Note that the run was interrupted, or stopped."""
        self._interrupted = True
        self._stopping.begun = True

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self, gateway: Any) -> None:
        """Note the process of a worker, to pass signals on to it."""
        self._stopping.install()
        if process := getattr(gateway._io, "popen", None):
            self._stopping.workers.append(process)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Note why a worker has stopped."""
        output = getattr(node, "workeroutput", None) or {}
        self._stopped = self._stopped or output.get(OUTPUT, "")
