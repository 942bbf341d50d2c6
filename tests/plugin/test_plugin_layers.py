"""The layers of a run: `--layer`, and performance tests that no other test runs beside."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from tests.forked_runs import ForkedRuns

from poolspec.vocabulary import Layer

SCRIPT = str(Path(sys.executable).with_name("poolspec"))
SPEC = """\
spec: 1
class: Layered
purpose: Each layer has a test.
connections: scripted
concurrency: [threads]
pool: {size: 1}
tests:
"""
TEST = """\
  of_the_LAYER_layer:
    purpose: A test of its layer
    validates: A connection is on loan
    covers: []
    layer: LAYER
    steps: [acquire: a]
    expect: {stats: {in_use: 1}}
"""
SLOW = """\
import pytest


@pytest.fixture(autouse=True)
def takes_time():
    import time

    time.sleep(0.05)


class TestMixed:
    @pytest.mark.spec("mixed.it", covers=[], layer="LAYER")
    @pytest.mark.parametrize("number", range(COUNT))
    def test_it(self, number):
        pass
"""
NOTES_TIMES = """\
import json
import os
import time

import pytest


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_protocol(item):
    began = time.monotonic()
    yield
    line = json.dumps([item.name, item.path.stem, began, time.monotonic()])
    with open(os.environ["TIMES"], "a") as file:
        file.write(line + "\\n")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    tests = "".join(TEST.replace("LAYER", layer) for layer in Layer if layer != "performance")
    (tmp_path / "specs" / "layered.yaml").write_text(SPEC + tests)
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, "run", "-n", "0", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_run_takes_the_tests_of_the_chosen_layers(project: Path) -> None:
    done = run(project, "--layer", "unit,system", "--layer", "chaos", "--", "-k", "unit or chaos")
    tests = json.loads((project / "build" / "results.json").read_text())["tests"]
    layers = sorted(test["id"].removeprefix("layered.of_the_") for test in tests)
    assert (done.returncode, layers) == (0, ["chaos_layer", "unit_layer"]), done.stdout


def test_an_unknown_layer_is_bad_input_that_lists_the_layers(project: Path) -> None:
    done = run(project, "--layer", "unit,kaos")
    assert done.returncode == 2
    unknown = "argument --layer: 'kaos' is not a layer; the layers are unit, integration"
    assert unknown in done.stderr


def test_a_layer_without_a_test_is_an_error_that_names_the_layer(project: Path) -> None:
    done = run(project, "--layer", "performance")
    assert done.returncode == 2
    assert "--layer performance selects no test of generated_tests" in done.stderr


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (["--layer", "unit"], ["unit"]),
        (["--layer", "unit", "--layer", "chaos"], ["chaos", "unit"]),
        (["--layer=unit, chaos"], ["chaos", "unit"]),
        (["--layer", "unit,chaos", "-m", "chaos"], ["chaos"]),
        (["-m", "system"], ["system"]),
        ([], ["chaos", "integration", "performance", "system", "unit"]),
    ],
)
def test_pytest_takes_the_option_too(
    tmp_path: Path, forked_runs: ForkedRuns, chosen: list[str], expected: list[str]
) -> None:
    for layer in Layer:
        text = SLOW.replace("LAYER", layer).replace("COUNT", "1")
        (tmp_path / f"test_{layer}.py").write_text(text)
    code, output = forked_runs.run(tmp_path, "-v", *chosen, str(tmp_path), within=tmp_path)
    passed = re.findall(r"^test_(\w+)\.py::.* PASSED", output, re.MULTILINE)
    assert (code, sorted(passed)) == (0, expected), output
    if not chosen:
        assert passed[-1] == "performance"


@pytest.mark.parametrize("dist", ["load", "worksteal", "loadfile"])
def test_no_other_test_runs_beside_a_performance_test(tmp_path: Path, dist: str) -> None:
    for name, layer, count in [("a", "unit", 8), ("b", "performance", 3), ("c", "chaos", 8)]:
        text = SLOW.replace("LAYER", layer).replace("COUNT", str(count))
        (tmp_path / f"test_{name}.py").write_text(text)
    (tmp_path / "conftest.py").write_text(NOTES_TIMES)
    times = tmp_path / "times"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "--dist", dist, "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "TIMES": str(times)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, "19 passed" in done.stdout) == (0, True), done.stdout
    spans = [json.loads(line) for line in times.read_text().splitlines()]
    alone = [span for span in spans if span[1] == "test_b"]
    others = [span for span in spans if span[1] != "test_b"]
    assert len(alone) == 3
    for _, _, began, ended in alone:
        assert [span for span in others if span[2] < ended and began < span[3]] == []
    ordered = sorted((began, ended) for _, _, began, ended in alone)
    assert all(ended <= began for (_, ended), (began, _) in pairwise(ordered))
    overlap = [a for a in others for b in others if a is not b and a[2] < b[3] and b[2] < a[3]]
    assert overlap, "the other tests did run beside each other"
