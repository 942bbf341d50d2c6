"""`poolspec run`: generate, run the generated tests, and write a report with what came of them.

The tests run in processes of their own (pytest), and what they found comes back as a file; nothing
of the run side is imported here. The published report in docs/ says nothing of any run; the copy
under the build folder carries outcomes, times and the server used.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from poolspec.cli import commands, exits
from poolspec.report.verdicts import ResultsError, parse_results

FAILED = 1
"""pytest's exit code when tests failed; 0 is that all passed, any other that it could not work."""


@dataclass(frozen=True, slots=True)
class Run:
    """What to run, on what, and where to put what comes of it."""

    places: commands.Places
    build: Path
    server: str
    pool: str
    workers: str
    extra: tuple[str, ...]

    @property
    def results(self) -> Path:
        """The results file, as JSON."""
        return self.build / "results.json"

    def command(self) -> list[str]:
        """Return the pytest command line."""
        return [
            *(sys.executable, "-m", "pytest", str(self.places.modules), "-q", "-n", self.workers),
            *("--server", self.server, "--pool", self.pool),
            *("--results", str(self.results)),
            *("--junitxml", str(self.build / "junit.xml")),
            *self.extra,
        ]


def run(plan: Run) -> int:
    """Generate, test, report. Returns 0, or 1 when tests failed; Stop when it could not be done."""
    commands.gen(plan.places, commands.Mode.WRITE)
    plan.build.mkdir(parents=True, exist_ok=True)
    plan.results.unlink(missing_ok=True)
    code = subprocess.run(plan.command(), check=False).returncode
    if code not in (exits.OK, FAILED):
        raise exits.Stop(f"pytest could not do its work and ended with {code}", exits.BAD_INPUT)
    pages = _report(plan)
    print(f"report: {pages / 'index.md'}; results: {plan.results}; {plan.build / 'junit.xml'}")
    return code


def _report(plan: Run) -> Path:
    try:
        results = parse_results(plan.results.read_text(encoding="utf-8"))
    except (OSError, ResultsError) as error:
        raise exits.Stop(f"{plan.results}: no results to report: {error}", exits.DEFECT) from None
    pages = plan.build / "coverage"
    commands.write(commands.report(plan.places.specs, pages, results), [pages])
    return pages
