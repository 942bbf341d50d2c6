"""Collects the results of a run from all workers, shows them at the end, and saves them."""

import json
import os
import re
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from poolspec.plugin.completeness import Completeness
from poolspec.plugin.options import ANY_SERVER
from poolspec.plugin.properties import identity_by_name
from poolspec.plugin.recovery import STOPPED
from poolspec.plugin.results import Results, TestResult
from poolspec.plugin.staleness import stale_specs, warning
from poolspec.plugin.timelines import kept_timeline
from poolspec.vocabulary.outcomes import NO_FORM, NOT_APPLICABLE, Outcome

CRASHED = "???"
"""The phase of the report that pytest-xdist makes of a test whose worker crashed."""
ASSERTION = re.compile(r"^(AssertionError|[\w.]+\.BrokenInvariantsError): ")
"""The exception of a failed assertion, whose text says everything."""


class Collector:
    """Gathers the reports of all workers."""

    def __init__(self, config: pytest.Config, swept: Sequence[str] = ()) -> None:
        self._config = config
        self._swept = dict.fromkeys(swept)
        """What earlier runs had left, and this one has removed."""
        self._started = time.monotonic()
        self._results = Results(pool=config.getoption("--pool"))
        self._choice: str = config.getoption("--server")
        self._warned = False
        self._unwritable = ""
        self._completeness = Completeness(config)
        config.pluginmanager.register(self._completeness, "poolspec-completeness")

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> list[str]:
        """Warn of stale specs before the first test runs."""
        return warning(stale_specs(self._config.rootpath, {item.location[0] for item in items}))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Warn once of stale specs where workers collect the tests."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or self._warned:
            return
        self._warned = True
        modules = {name.partition("::")[0] for name in ids}
        for line in warning(stale_specs(self._config.rootpath, modules)):
            reporter.write_line(line)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcome of a test."""
        about = _properties(report)
        identity: Any = about.get("test")
        if identity is None and report.when == CRASHED:
            identity = identity_by_name(self._config.rootpath, report.nodeid)
        if identity is None or (report.when != "call" and report.passed):
            return
        self._swept |= dict.fromkeys(about.get("swept") or ())
        self._results.server = about.get("server") or self._results.server
        outcome, reason = Outcome.PASSED, ""
        if "outcome" in about:
            outcome, reason = Outcome(about["outcome"]), _reason(report)
        elif report.skipped:
            outcome, reason = Outcome.NOT_APPLICABLE, _skipped(report)
        elif report.failed:
            outcome = Outcome.FAILED if report.when == "call" else Outcome.ERRORED
            reason = _reason(report)
        if reason.startswith(NOT_APPLICABLE + NO_FORM):
            return
        self._results.note(
            TestResult(
                **identity,
                outcome=outcome,
                seconds=report.duration,
                reason=reason,
                real=about.get("grade") or {},
                loads=about.get("loads") or [],
                findings=about.get("findings") or [],
                timeline=kept_timeline(report),
                run_again=about.get("run_again") or "",
                control=about.get("control") or {},
            )
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what stopped the run, the table of results, and what ended runs left."""
        reasons = self._unwritable, self._completeness.stopped
        errors = [f"ERROR: {reason}" for reason in reasons if reason]
        results = [*self._results.summary(), *self._hint()] if self._results.tests else []
        if errors or results or self._swept:
            terminalreporter.section("poolspec")
            for line in [*errors, *results, *self._left()]:
                terminalreporter.write_line(line)

    def _sweep(self) -> None:
        """Drop the tenants of a killed worker from a server named by a URL."""
        if "://" in self._choice:
            from poolspec.servers import ServerError, start_server

            with suppress(ServerError):  # a server that has gone is reported by its tests
                server = start_server(self._choice)
                self._swept |= dict.fromkeys(str(one) for one in server.swept)
                server.stop()

    def _left(self) -> list[str]:
        """List what earlier runs, or killed workers of this one, had left."""
        from poolspec.leftovers import left_processes

        lines = [f"    {one}, now removed" for one in self._swept]
        running = [f"    {one}" for one in left_processes()]
        if running:
            running.append("    end these processes with: poolspec leftovers --remove")
        return (
            ["", "left by runs or workers that have ended:", *lines, *running]
            if lines or running
            else []
        )

    def _hint(self) -> list[str]:
        """Say how to get a real server if `auto` chose the embedded one, or why it did."""
        if note := self._results.server.get("note"):
            return ["", note]
        if self._choice != ANY_SERVER or self._results.server["kind"] != "embedded":
            return []
        from poolspec.servers import describe_choice

        return ["", describe_choice(self._choice)]

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Save the results. If these or a JUnit file cannot be written, the exit code says so."""
        self._results.seconds = time.monotonic() - self._started
        path = self._config.getoption("--results")
        try:
            finished = yield
            self._sweep()  # now the workers have ended
            self._results.partial = self._completeness.partial()
            if self._completeness.stopped:
                session.exitstatus = STOPPED
            if path is not None:
                self._results.save(path)
            return finished
        except OSError as error:
            self._unwritable = f"{error.filename or path or 'results'}: {error.strerror}"
            session.exitstatus = os.EX_CANTCREAT
            return None


def _properties(report: pytest.TestReport) -> dict[str, Any]:
    """Return what the plugin has added to a report."""
    return {
        name.removeprefix("poolspec_"): json.loads(str(value))
        for name, value in report.user_properties
        if name.startswith("poolspec_")
    }


def _skipped(report: pytest.TestReport) -> str:
    skipped = report.longrepr
    return skipped[2].removeprefix("Skipped: ") if isinstance(skipped, tuple) else ""


def _reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    whole = str(crash.message if crash else report.longrepr).partition("\n")[0]
    return ASSERTION.sub("", whole)
