"""Whether the pool became slower: the statistics, the baseline file, and whole runs."""

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.forked_runs import ForkedRuns

from poolspec.report.baseline import (
    Baseline,
    BaselineError,
    Measured,
    Round,
    Setting,
    baseline_text,
    parse_baseline,
    rounds_of,
)
from poolspec.report.regression import Change, Figure, chance, compared
from poolspec.report.results import Results, parse_results
from poolspec.vocabulary.outcomes import LOAD_FIGURES

SCRIPT = str(Path(sys.executable).with_name("poolspec"))
SETTING = Setting("steadypool", "MariaDB 10.11, private instance", "3.11", "0.2.0")
MIXED = Measured("performance.mixed", "", "threads", "mixed")


def rounds(
    seed: int, *, slower: float = 1.0, waits: float = 1.0, machine: float = 1.0
) -> list[Round]:
    """Seven rounds with 5 % of noise; `slower` costs CPU, `waits` only time."""
    noise = random.Random(seed)
    found = []
    for _ in range(7):
        speed = machine * noise.uniform(0.5, 1.0)  # the load and its control share the machine
        own = noise.gauss(1, 0.05)
        throughput = 2500 * speed * own / slower / waits
        found.append(Round(throughput, 0.0004 * slower / own, 9000 * speed, 0.00006))
    return found


def suspected(before: list[Round], now: list[Round]) -> set[Figure]:
    changes = compared({MIXED: before}, {MIXED: now})
    return {change.figure for change in changes if change.suspected}


def test_a_slower_pool_is_suspected() -> None:
    found = [suspected(rounds(seed), rounds(seed + 1000, slower=1.35)) for seed in range(50)]
    assert found == [{*Figure}] * 50


def test_a_pool_that_waits_longer_is_suspected_by_its_throughput_alone() -> None:
    found = [suspected(rounds(seed), rounds(seed + 1000, waits=1.35)) for seed in range(50)]
    assert found == [{Figure.THROUGHPUT}] * 50


def test_an_unchanged_pool_is_not_found_slower() -> None:
    found = [suspected(rounds(seed), rounds(seed + 1000)) for seed in range(500)]
    assert not any(found)


def test_the_speed_of_the_machine_cancels_out() -> None:
    found = [suspected(rounds(seed), rounds(seed + 1000, machine=0.3)) for seed in range(500)]
    assert not any(found)


def test_a_loss_within_the_noise_is_not_suspected() -> None:
    before = [Round(throughput, 0.001, 10.0, 0.001) for throughput in (5, 9, 10, 11, 15)]
    now = [Round(throughput, 0.001, 10.0, 0.001) for throughput in (4, 6, 8, 10, 14)]
    change = compared({MIXED: before}, {MIXED: now})[0]
    assert (round(change.loss, 2), change.suspected) == (0.2, False)


def test_the_chance_is_that_of_the_exact_rank_test() -> None:
    assert chance([2] * 5, [1] * 5) == 1 / 252
    assert chance([1, 2, 3], [4, 5, 6]) == 1.0
    assert chance([4, 5, 6], [1, 2, 3]) == 1 / 20
    assert chance([3, 5, 6], [1, 2, 4]) == 2 / 20


def test_a_change_shows_both_figures() -> None:
    change = Change(MIXED, Figure.THROUGHPUT, 2512.4, 1901.0, 0.243, 0.004)
    assert str(change) == (
        "performance.mixed (threads), mixed, operations per second: 2,512 in the baseline, "
        "1,901 now; relative to the control -24%"
    )


def test_a_baseline_is_read_as_it_was_saved() -> None:
    baseline = Baseline(SETTING, {MIXED: rounds(1)})
    assert parse_baseline(baseline_text(baseline)) == baseline


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        ("[]", "the file: expected a mapping, found a list"),
        (baseline_text(Baseline(SETTING, {})), "loads: "),
        ('{"schema": 1}', "the file: the key 'poolspec' is missing"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BaselineError, match=complaint):
        parse_baseline(text)


def test_a_figure_that_is_none_is_refused_with_its_place() -> None:
    whole = json.loads(baseline_text(Baseline(SETTING, {MIXED: rounds(1)})))
    whole["loads"][0]["rounds"][2]["cpu"] = 0
    with pytest.raises(BaselineError, match=r"loads\[0\]\.rounds\[2\]\.cpu: "):
        parse_baseline(json.dumps(whole))


def test_each_difference_of_the_setting_is_named() -> None:
    now = replace(SETTING, server="embedded server", python="3.12")
    assert SETTING.differences(now) == [
        "server: MariaDB 10.11, private instance then, embedded server now",
        "python: 3.11 then, 3.12 now",
    ]
    assert SETTING.differences(SETTING) == []


def test_short_loads_and_those_without_a_control_are_not_measured() -> None:
    figures = dict.fromkeys(LOAD_FIGURES, 0.01) | {"cpu": 0.0004, "throughput": 2500.0}
    loads = [
        {**figures, "load": "warm_up", "operations": 100},
        {**figures, "load": "mixed", "operations": 2500},
    ]
    test = {"id": "performance.mixed", "outcome": "passed", "seconds": 1, "reason": ""}
    control = {"throughput": 9000.0, "cpu": 0.00006}
    tests = [{**test, "loads": loads, "control": control}, {**test, "case": "5", "loads": loads}]
    server = {"description": "MariaDB 10.11"}
    whole = {"schema": 1, "pool": "p", "server": server, "seconds": 1, "tests": tests}
    found = rounds_of([parse_results(json.dumps(whole))] * 2)
    assert found == {MIXED: [Round(2500.0, 0.0004, 9000.0, 0.00006)] * 2}


SPEC = """\
spec: 1
class: Quick
purpose: A pool hands out connections quickly.
layer: performance
time: real
concurrency: [threads]
pool: {size: 4, max_overflow: 0, timeout: 10s}
tests:
  hand_overs:
    purpose: Clients pass connections on
    validates: No acquire fails
    covers: []
    steps:
      - load: cycles
        clients: 4
        each: 250
        mix: {borrow: 1}
    expect: {cycles: {failed: 0}}
"""
SLOWED = '''\
"""The bundled pool, whose acquires may burn CPU."""

import os
import time

from poolspec.adapters import find_pool


class Slowed(type(find_pool("steadypool").threads)):
    def acquire(self, pool, *args, **kwargs):
        end = time.thread_time() + float(os.environ.get("SLOWER", "0"))
        while time.thread_time() < end:
            pass
        return super().acquire(pool, *args, **kwargs)


ADAPTER = Slowed()
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "quick.yaml").write_text(SPEC)
    (tmp_path / "slowed.py").write_text(SLOWED)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -pno:hypothesispytest -pno:anyio -pno:cacheprovider\n"
    )  # the plugins take half a second in each of the rounds
    return tmp_path


def run(project: Path, *arguments: str, slower: float = 0.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, "run", "-n", "0", "--pool", "slowed:ADAPTER", *arguments],
        cwd=project,
        env={**os.environ, "SLOWER": str(slower), "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def measured(project: Path, runs: ForkedRuns, slower: float, rounds: int = 7) -> list[Results]:
    """Return the results of some rounds of a pool."""
    found = []
    options = ("--pool", "slowed:ADAPTER", "--control", "--results", "results.json")
    for _ in range(rounds):
        code, output = runs.run(
            project, *options, "generated_tests", within=project, SLOWER=str(slower)
        )
        assert code == 0, output
        found.append(parse_results((project / "results.json").read_text()))
    return found


def test_a_pool_that_became_slower_is_found_and_an_unchanged_one_is_not(
    project: Path, forked_runs: ForkedRuns
) -> None:
    subprocess.run([SCRIPT, "gen"], cwd=project, check=True, capture_output=True)
    before, unchanged, slower = (
        rounds_of(measured(project, forked_runs, burnt)) for burnt in (0.0, 0.0, 0.0003)
    )
    assert not any(change.suspected for change in compared(before, unchanged))
    found = {change.figure: change.suspected for change in compared(before, slower)}
    assert found[Figure.CPU], compared(before, slower)


def test_a_run_is_compared_with_a_saved_baseline(project: Path, forked_runs: ForkedRuns) -> None:
    subprocess.run([SCRIPT, "gen"], cwd=project, check=True, capture_output=True)
    every = measured(project, forked_runs, 0.0, 1) * 7
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    setting = Setting(every[0].pool, every[0].server, python, version("poolspec"))
    much_faster = {
        load: [replace(one, throughput=8 * one.throughput, cpu=one.cpu / 8) for one in rounds]
        for load, rounds in rounds_of(every).items()
    }
    (project / "base.json").write_text(baseline_text(Baseline(setting, much_faster)))

    done = run(project, "--against", "base.json", "--save-baseline", "new.json")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "performance: 1 loads in 7 rounds, saved in new.json" in done.stdout
    assert "performance: measured again, because a loss is suspected" in done.stdout
    loss = next(line for line in done.stdout.splitlines() if line.startswith("  LOSS "))
    assert "quick.hand_overs (threads), cycles, operations per second" in loss
    assert "in the baseline" in loss
    assert parse_baseline((project / "new.json").read_text()).setting == setting

    other = json.loads((project / "base.json").read_text()) | {"python": "2.7"}
    (project / "other.json").write_text(json.dumps(other))
    refused = run(project, "--against", "other.json")
    assert refused.returncode == 2
    assert "other.json cannot be compared with this run:\n  python: 2.7 then, 3." in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["--against", "none.json"],
            "none.json does not exist; make it with --save-baseline none.json",
        ),
        (["--against", "specs/quick.yaml"], "specs/quick.yaml is not a baseline: not JSON"),
        (["--layer", "unit", "--save-baseline", "b"], "add --layer performance"),
    ],
)
def test_a_baseline_that_cannot_be_used_is_bad_input(
    project: Path, arguments: list[str], complaint: str
) -> None:
    done = run(project, *arguments)
    assert (done.returncode, complaint in done.stderr) == (2, True), done.stderr
    assert not (project / "build").exists()
