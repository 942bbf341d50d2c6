"""`poolspec run`: generate, run the generated tests, and write a report with what came of them.

The tests run in processes of their own (pytest), and what they found comes back as a file; nothing
of the run side is imported here. The published report in docs/ says nothing of any run; the copy
under the build folder carries outcomes, times and the server used.

What pytest writes it writes to a folder of this run alone, whence it is moved into the build folder
when it is whole. So two runs at a time do not mix, and one that is cut short leaves nothing.
"""

import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from poolspec.cli import commands, exits
from poolspec.report.results import Outcome, Results, ResultsError, parse_results

FAILED = 1
STOPPED = 2
NOTHING_RUN = 5
"""Exit codes of pytest, beside 0. It is stopped by Ctrl-C, `-x`, or a module it cannot load."""
GRACE = 10
"""Seconds in which pytest has to end after Ctrl-C, which the terminal sends to it as well."""
RESULTS, JUNIT = "results.json", "junit.xml"


@dataclass(frozen=True, slots=True)
class Run:
    """What to run, on what, and where to put what comes of it."""

    places: commands.Places
    build: Path
    server: str | None
    pool: str | None
    workers: str
    extra: tuple[str, ...]

    def command(self, folder: Path) -> list[str]:
        """Return the pytest command line; what is not chosen here is left to pytest."""
        chosen = {"--server": self.server, "--pool": self.pool}
        return [
            *(sys.executable, "-m", "pytest", str(self.places.modules), "-q", "-n", self.workers),
            *(word for name, value in chosen.items() if value for word in (name, value)),
            *("--results", str(folder / RESULTS)),
            *("--junitxml", str(folder / JUNIT)),
            *self.extra,
        ]


def run(plan: Run) -> int:
    """Generate, test, report. Returns 0, or 1 when tests failed; Stop when it could not be done."""
    commands.gen(plan.places, commands.Mode.WRITE)
    plan.build.mkdir(parents=True, exist_ok=True)
    for name in (RESULTS, JUNIT):
        (plan.build / name).unlink(missing_ok=True)
    with TemporaryDirectory(prefix=".run-", dir=plan.build) as made:
        folder = Path(made)
        code = _pytest(plan.command(folder))
        results = _results(plan, code, folder / RESULTS)
        for name in (RESULTS, JUNIT):
            (folder / name).replace(plan.build / name)
    pages = plan.build / "coverage"
    commands.write(commands.report(plan.places.specs, pages, results), [pages])
    found, junit = plan.build / RESULTS, plan.build / JUNIT
    print(f"report: {pages / 'index.md'}; results: {found}; {junit}")
    return FAILED if code else exits.OK


def _pytest(command: list[str]) -> int:
    """Return pytest's exit code. Interrupted, wait until it has told what it found, and go on."""
    tests = subprocess.Popen(command)
    try:
        return tests.wait()
    except KeyboardInterrupt:
        with suppress(subprocess.TimeoutExpired):
            tests.wait(GRACE)
        raise
    finally:
        tests.kill()  # does nothing to what has ended
        tests.wait()


def _results(plan: Run, code: int, file: Path) -> Results:
    """Return what came of a run; Stop if there is nothing to report."""
    if code == NOTHING_RUN:
        where = f"of {plan.places.modules} is chosen by: {' '.join(plan.extra)}"
        text = f"no test {where if plan.extra else f'is in {plan.places.modules}'}"
        raise exits.Stop(f"{text}; one class is run by: poolspec run -- -k NAME", exits.BAD_INPUT)
    try:
        results = parse_results(file.read_text(encoding="utf-8"))
    except (OSError, ResultsError) as error:
        if code not in (exits.OK, FAILED):
            raise _not_done(code) from None
        raise exits.Stop(f"no results to report: {error}", exits.DEFECT) from None
    if code in (exits.OK, FAILED) or (code == STOPPED and _is_red(results)):
        return results
    raise _not_done(code)


def _not_done(code: int) -> exits.Stop:
    return exits.Stop(f"pytest could not do its work and ended with {code}", exits.BAD_INPUT)


def _is_red(results: Results) -> bool:
    red = (Outcome.FAILED, Outcome.ERRORED)
    return any(verdict.outcome in red for verdict in results.verdicts.values())
