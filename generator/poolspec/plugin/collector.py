"""What came of a run: gathered from all workers, shown at the end, and kept where asked to."""

import time
from typing import Any

import pytest

from poolspec.plugin.options import ANY_SERVER
from poolspec.plugin.results import Outcome, Results, TestResult
from poolspec.plugin.staleness import outdated


class Collector:
    """Gathers the reports of all workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._started = time.monotonic()
        self._results = Results(pool=config.getoption("--pool"))
        self._choice: str = config.getoption("--server")
        self._modules: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended."""
        about = dict(report.user_properties)
        identity: Any = about.get("poolspec")
        if identity is None or (report.when != "call" and report.passed):
            return
        self._modules.add(report.location[0])
        server: Any = about.get("poolspec_server")
        self._results.server = server or self._results.server
        outcome, reason = Outcome.PASSED, ""
        if report.skipped:
            outcome, reason = Outcome.NOT_APPLICABLE, _skipped(report)
        elif report.failed:
            outcome = Outcome.FAILED if report.when == "call" else Outcome.ERRORED
            reason = _reason(report)
        real: Any = about.get("poolspec_grade") or {}
        loads: Any = about.get("poolspec_loads") or []
        self._results.note(
            TestResult(
                **identity,
                outcome=outcome,
                seconds=report.duration,
                reason=reason,
                real=real,
                loads=loads,
            )
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the table, and keep the results where asked to."""
        if not self._results.tests:
            return
        terminalreporter.section("poolspec")
        for line in [*self._results.summary(), *self._hint(), *self._outdated()]:
            terminalreporter.write_line(line)

    def _hint(self) -> list[str]:
        """Say how to get the real server, where nobody asked for the embedded one."""
        if self._choice != ANY_SERVER or self._results.server["kind"] != "embedded":
            return []
        from poolspec.servers import describe_choice

        return ["", describe_choice(self._choice)]

    def _outdated(self) -> list[str]:
        """Say which specs have been edited since their tests were generated."""
        edited = outdated(self._config.rootpath, self._modules)
        if not edited:
            return []
        what = "was" if len(edited) == 1 else "were"
        return ["", f"{', '.join(edited)} {what} edited after these tests were made: poolspec gen"]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the results where asked to."""
        self._results.seconds = time.monotonic() - self._started
        path = self._config.getoption("--results")
        if path is not None:
            self._results.save(path)


def _skipped(report: pytest.TestReport) -> str:
    told = report.longrepr
    return told[2].removeprefix("Skipped: ") if isinstance(told, tuple) else ""


def _reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longreprtext).partition("\n")[0]
