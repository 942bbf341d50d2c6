"""`poolspec run --save-baseline` and `--against`: whether the pool became slower.

After the run itself, the tests of the performance layer run again in several rounds. Each
round is a pytest process that runs one test at a time, with a control beside each. The figures are
saved, or compared with saved ones. A suspected loss is measured again before it counts.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from poolspec.cli import exits
from poolspec.cli.run import FAILED, RESULTS, Run, run, run_quietly
from poolspec.report.baseline import (
    ENOUGH,
    Baseline,
    BaselineError,
    Rounds,
    Setting,
    baseline_text,
    parse_baseline,
    rounds_of,
)
from poolspec.report.regression import Change, compared
from poolspec.report.results import Results, parse_results
from poolspec.vocabulary import Layer

ROUNDS = 7
MEASURED = "performance.json"
"""The file in the build folder with the figures of this run, in the format of a baseline."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """The file in which to save a baseline, or the one to compare with."""

    save: Path | None
    against: Path | None


def run_and_compare(plan: Run, keeping: Keeping) -> int:
    """Run the tests, then measure; save the figures or compare them. Returns the exit code."""
    if plan.chosen.layers and Layer.PERFORMANCE not in plan.chosen.layers:
        text = "a baseline is about the performance layer; add --layer performance"
        raise exits.Stop(text, exits.BAD_INPUT)
    saved = _read(keeping.against) if keeping.against else None
    code = run(plan)
    results = parse_results((plan.build / RESULTS).read_text(encoding="utf-8"))
    setting = _setting(results)
    if saved:
        _refuse_others(keeping.against, saved.setting, setting)
    rounds = _measure(plan, results)
    _write(plan.build / MEASURED, Baseline(setting, rounds))
    if keeping.save:
        _write(keeping.save, Baseline(setting, rounds))
        print(f"performance: {len(rounds)} loads in {ROUNDS} rounds, saved in {keeping.save}")
    return max(code, _judge(plan, results, saved.rounds, rounds)) if saved else code


def _judge(plan: Run, results: Results, before: Rounds, now: Rounds) -> int:
    """Compare two measurements, measure a suspected loss again, and report. Returns 0 or 1."""
    changes = compared(before, now)
    if not changes:
        text = "the baseline and this run have no load in common; save a new baseline"
        raise exits.Stop(text, exits.BAD_INPUT)
    for change in changes:
        print(f"  {'suspected: ' if change.suspected else ''}{change}")
    suspects = {change.key for change in changes if change.suspected}
    if not suspects:
        print("performance: no loss")
        return exits.OK
    print("performance: measured again, because a loss is suspected")
    again = compared(before, _measure(plan, results))
    losses = [change for change in again if change.suspected and change.key in suspects]
    return _report(losses)


def _report(losses: Sequence[Change]) -> int:
    if not losses:
        print("performance: no loss; the second measurement does not show it")
        return exits.OK
    for loss in losses:
        print(f"  LOSS {loss}")
    print(f"performance: slower than the baseline ({len(losses)} figures)")
    return FAILED


def _measure(plan: Run, results: Results) -> Rounds:
    """Run the rounds; return their figures, or raise Stop if there are none."""
    tests = sorted(
        verdict.test.partition(".")[2]
        for verdict in results.loaded
        if any(load["operations"] >= ENOUGH for load in verdict.loads)
    )
    if not tests:
        text = f"no test of the performance layer has a load of {ENOUGH:,} operations or more"
        raise exits.Stop(text, exits.BAD_INPUT)
    chosen = plan.extra or ("-k", " or ".join(dict.fromkeys(tests)))
    one_round = replace(
        plan,
        chosen=replace(plan.chosen, layers=(Layer.PERFORMANCE,)),
        workers="0",
        extra=("--control", *chosen),
    )
    found = []
    for number in range(1, ROUNDS + 1):
        print(f"performance: round {number} of {ROUNDS}", file=sys.stderr)
        found.append(run_quietly(one_round))
    rounds = rounds_of(found)
    return {key: figures for key, figures in rounds.items() if len(figures) == ROUNDS}


def _setting(results: Results) -> Setting:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Setting(results.pool, results.server, python, version("poolspec"))


def _refuse_others(file: Path | None, then: Setting, now: Setting) -> None:
    if differences := then.differences(now):
        listed = "\n".join(f"  {difference}" for difference in differences)
        text = f"{file} cannot be compared with this run:\n{listed}\nsave a new baseline"
        raise exits.Stop(text, exits.BAD_INPUT)


def _read(file: Path) -> Baseline:
    try:
        return parse_baseline(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        text = f"{file} does not exist; make it with --save-baseline {file}"
        raise exits.Stop(text, exits.BAD_INPUT) from None
    except (BaselineError, UnicodeDecodeError) as error:
        raise exits.Stop(f"{file} is not a baseline: {error}", exits.BAD_INPUT) from None


def _write(file: Path, baseline: Baseline) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(baseline_text(baseline), encoding="utf-8")
