"""`poolspec run`: generate, run the generated tests, and write a report with their results.

pytest runs in a process of its own and leaves its results in a file; nothing of the run side is
imported here. The published pages in docs/ contain no results. The copy under the build folder has
the outcomes, the times and the server of the run.

pytest writes into a temporary folder. Complete files are then moved into the build folder, so that
two runs at the same time do not mix. A run that a signal interrupts leaves a partial report, which
says so.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from poolspec.cli import commands, exits
from poolspec.cli.pytest_process import run_pytest, signals_raise
from poolspec.folders import make_folder, remove_left_in
from poolspec.report.results import Results, ResultsError, parse_results
from poolspec.vocabulary import Layer
from poolspec.vocabulary.outcomes import Outcome

FAILED = 1
STOPPED = 2
CRASHED = 3
NOTHING_RUN = 5
"""Exit codes of pytest. Ctrl-C, `-x`, or a module that it cannot load stops it."""
NO_ENVIRONMENT = os.EX_UNAVAILABLE
"""Exit code of our plugin if no server can be used."""
UNWRITABLE = os.EX_CANTCREAT
"""Exit code of our plugin if the results cannot be written."""
PREFIX = ".run-"
"""The start of the name of a run's temporary folder."""
_BROKEN = "the environment cannot run the tests; the reason is above"
RESULTS, JUNIT = "results.json", "junit.xml"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Options of our plugin; one that is not given is left to pytest."""

    server: str | None = None
    pool: str | None = None
    ports: str | None = None
    fail_on: str | None = None
    layers: tuple[Layer, ...] = ()

    def words(self) -> list[str]:
        """Return the options as words of a command line."""
        given = {
            "--server": self.server,
            "--pool": self.pool,
            "--ports": self.ports,
            "--fail-on": self.fail_on,
            "--layer": ",".join(self.layers),
        }
        return [word for name, value in given.items() if value for word in (name, value)]


@dataclass(frozen=True, slots=True)
class Run:
    """What to run, on which server and pool, and where to put the results."""

    places: commands.Places
    build: Path
    chosen: Chosen
    workers: str
    extra: tuple[str, ...]

    def command(self, folder: Path) -> list[str]:
        """Return the pytest command line."""
        return [
            *(sys.executable, "-m", "pytest", str(self.places.modules), "--no-header"),
            *("-n", self.workers),
            *self.chosen.words(),
            *("--results", str(folder / RESULTS)),
            *("--junitxml", str(folder / JUNIT)),
            *self.extra,
        ]


def run(plan: Run) -> int:
    """Generate, test, report. Returns 0, or 1 if a test failed.

    Raises Stop if no test could run, or if a signal has ended the tests.
    """
    with signals_raise():
        return _run(plan)


def _run(plan: Run) -> int:
    commands.gen(plan.places, commands.Mode.WRITE)
    plan.build.mkdir(parents=True, exist_ok=True)
    for name in (RESULTS, JUNIT):
        (plan.build / name).unlink(missing_ok=True)
    remove_left_in(plan.build, PREFIX)
    with make_folder(plan.build, PREFIX) as folder:
        code, by = run_pytest(plan.command(folder))
        if by and not (folder / RESULTS).exists():  # pytest was ended at once
            raise exits.Signalled(by)
        results = _results(plan, exits.OK if by else code, folder / RESULTS)
        for name in (RESULTS, JUNIT):
            (folder / name).replace(plan.build / name)
    _report(plan, results)
    if by:
        partial = "; the report is partial" if results.partial else ""
        raise exits.Stop(f"interrupted{partial}", exits.Signalled(by).code)
    if code == NO_ENVIRONMENT:
        raise exits.Stop(_BROKEN, exits.ENVIRONMENT)
    return FAILED if code else exits.OK


def _report(plan: Run, results: Results) -> None:
    pages = plan.build / "coverage"
    commands.write(commands.report(plan.places.specs, pages, results), pages)
    found, junit = plan.build / RESULTS, plan.build / JUNIT
    partial = "partial " if results.partial else ""
    print(f"{partial}report: {pages / 'index.md'}; results: {found}; {junit}")


def run_quietly(plan: Run) -> Results:
    """Run tests without a report and show their output only if they did not run."""
    with signals_raise(), make_folder(plan.build, PREFIX) as folder:
        output = folder / "output.txt"
        with output.open("w", encoding="utf-8") as file:
            code, by = run_pytest(plan.command(folder), file)
        if by:
            raise exits.Signalled(by)
        try:
            if code == NO_ENVIRONMENT:
                raise exits.Stop(_BROKEN, exits.ENVIRONMENT)
            return _results(plan, code, folder / RESULTS)
        except exits.Stop:
            print(output.read_text(encoding="utf-8"))
            raise


def _results(plan: Run, code: int, file: Path) -> Results:
    """Return the results of a run. Raises Stop if there is nothing to report."""
    if code == NOTHING_RUN:
        raise exits.Stop(_nothing_chosen(plan), exits.BAD_INPUT)
    if code == UNWRITABLE:
        raise exits.Stop(f"the results cannot be written to {plan.build}", exits.REFUSED)
    try:
        results = parse_results(file.read_text(encoding="utf-8"))
    except (OSError, ResultsError) as error:
        if code not in (exits.OK, FAILED):
            raise _not_done(code) from None
        raise exits.Stop(f"the results cannot be read: {error}", exits.DEFECT) from None
    if code in (exits.OK, FAILED, NO_ENVIRONMENT) or (code == STOPPED and _is_red(results)):
        return results
    raise _not_done(code)


def _nothing_chosen(plan: Run) -> str:
    layers = [f"--layer {','.join(plan.chosen.layers)}"] if plan.chosen.layers else []
    options = " ".join([*layers, *plan.extra])
    chosen = f"{options} selects no test of" if options else "there is no test in"
    return f"{chosen} {plan.places.modules}; to run one class: poolspec run -- -k NAME"


def _not_done(code: int) -> exits.Stop:
    why = "pytest crashed" if code == CRASHED else "the tests did not run"
    return exits.Stop(f"{why}; the reason is above", exits.BAD_INPUT)


def _is_red(results: Results) -> bool:
    red = (Outcome.FAILED, Outcome.ERRORED)
    return any(result.outcome in red for result in results.verdicts.values())
