"""`poolspec run`: generate, run the generated tests, and write a report with what came of them.

The tests run in processes of their own (pytest), and what they found comes back as a file; nothing
of the run side is imported here. The published report in docs/ says nothing of any run; the copy in
build/ carries outcomes, times and the server used.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

NO_TESTS = 5
"""pytest's exit code when it found nothing to run."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What to run and where to put what comes of it."""

    tests: Path
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
            *(sys.executable, "-m", "pytest", str(self.tests), "-q", "-n", self.workers),
            *("--server", self.server, "--pool", self.pool),
            *("--results", str(self.results)),
            *("--junitxml", str(self.build / "junit.xml"), "-o", "junit_family=xunit2"),
            *self.extra,
        ]


def run_tests(plan: RunPlan) -> int:
    """Run the generated tests; return pytest's exit code. Old results are removed first."""
    plan.build.mkdir(parents=True, exist_ok=True)
    plan.results.unlink(missing_ok=True)
    return subprocess.run(plan.command(), check=False).returncode
