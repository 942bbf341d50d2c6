"""`poolspec run` as a user calls it: its output, its exit code, and the files that it leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = str(Path(sys.executable).with_name("poolspec"))
SPEC = """\
spec: 1
class: Mine
purpose: A pool that is closed has nothing open.
layer: unit
connections: scripted
concurrency: [threads]
pool: {size: 1}
tests:
  closes:
    purpose: A closed pool holds nothing
    validates: No connection is open
    covers: []
    steps: [close]
    expect: {stats: {total_connections: 0}}
  hands_out:
    purpose: A connection can be borrowed
    validates: It is on loan
    covers: []
    steps: [acquire: a]
    expect: {stats: {in_use: 1}}
"""
WRONG = SPEC.replace("total_connections: 0", "total_connections: 1")
HANGING = SPEC.replace("steps: [close]", "time: real\n    deadline: 19s\n    steps: [advance: 15s]")
MARKS_THE_START = """\
import time
from pathlib import Path


def pytest_runtest_call(item):
    if item.name.endswith("closes"):
        Path("begun").touch()


def pytest_keyboard_interrupt():
    if Path("endless").exists():
        Path("ending").touch()
        time.sleep(30)
"""

FILLS_THE_DISK = """\
import resource


def pytest_collection_finish(session):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, limits[1]))
"""

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "mine.yaml").write_text(SPEC)
    return tmp_path


def run(project: Path, *arguments: str, workers: str = "0", **variables: str) -> Done:
    return subprocess.run(
        [SCRIPT, "run", "-n", workers, *arguments],
        cwd=project,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def built(project: Path) -> set[str]:
    return {path.name for path in (project / "build").iterdir()}


def test_a_run_leaves_a_report_and_results_and_nothing_else(project: Path) -> None:
    done = run(project)
    assert done.returncode == 0
    assert built(project) == {"coverage", "results.json", "junit.xml"}
    assert "2 passed" in done.stdout


def test_a_run_that_stops_at_its_first_failure_is_reported(project: Path) -> None:
    (project / "specs" / "mine.yaml").write_text(WRONG)
    done = run(project, "--", "-x", workers="1")
    assert (done.returncode, "report: build/coverage/index.md" in done.stdout) == (1, True)
    assert "failed" in (project / "build" / "coverage" / "mine.md").read_text()


def test_a_run_may_be_held_to_musts_alone(project: Path) -> None:
    may = WRONG.replace(
        "    covers: []\n    steps: [close]", "    covers: []\n    level: may\n    steps: [close]"
    )
    (project / "specs" / "mine.yaml").write_text(may)
    assert run(project).returncode == 1
    done = run(project, "--fail-on", "must")
    assert (done.returncode, "1 passed, 1 otherwise" in done.stdout) == (0, True)
    page = (project / "build" / "coverage" / "index.md").read_text()
    fault = next(line for line in page.splitlines() if line.startswith("| 🔀 does it otherwise |"))
    assert fault.endswith("| mine.closes (threads) |")


def test_if_no_test_is_chosen_the_error_explains_how_to_choose(project: Path) -> None:
    done = run(project, "--", "-k", "nonsense")
    assert done.returncode == 2
    assert "-k nonsense selects no test of generated_tests" in done.stderr
    assert "poolspec run -- -k NAME" in done.stderr


@pytest.mark.parametrize("variable", ["POOLSPEC_POOL", "POOLSPEC_SERVER"])
def test_the_environment_chooses_where_the_command_line_does_not(
    project: Path, variable: str
) -> None:
    done = run(project, **{variable: "nonsense"})
    assert done.returncode == 2
    assert "'nonsense'" in done.stderr


@pytest.mark.parametrize("files", [0, 1], ids=["no room", "room for the smaller file"])
def test_a_full_disk_under_the_build_folder_is_refused(project: Path, files: int) -> None:
    run(project)
    sizes = [(project / "build" / name).stat().st_size for name in ("results.json", "junit.xml")]
    room = files * sum(sizes) // 2
    (project / "conftest.py").write_text(FILLS_THE_DISK.format(size=room))
    done = run(project)
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stderr == "poolspec: the results cannot be written to build\n"
    assert "File too large" in done.stdout
    assert "2 passed" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("option", ["--server", "--pool"])
def test_a_wrong_choice_is_bad_input_and_no_other_code_is_mentioned(
    project: Path, option: str
) -> None:
    done = run(project, option, "nonsense")
    assert done.returncode == 2
    assert done.stderr.endswith("poolspec: the tests did not run; the reason is above\n")
    assert "4" not in done.stderr.splitlines()[-1]


def test_the_workers_are_announced_once(project: Path) -> None:
    done = run(project, workers="2")
    assert done.returncode == 0
    assert done.stdout.count("2 workers [2 items]") == 1
    assert "bringing up nodes" not in done.stdout


def test_a_build_folder_that_cannot_be_made_is_reported_before_any_test_runs(project: Path) -> None:
    (project / "file").touch()
    done = run(project, "--build", "file/build")
    assert done.returncode == 3
    assert done.stderr.startswith("poolspec: file/build: ")
    assert "passed" not in done.stdout


def test_without_a_server_no_test_runs_and_the_reason_is_shown_once(project: Path) -> None:
    spec = SPEC.replace("connections: scripted\n", "").replace("layer: unit", "layer: integration")
    (project / "specs" / "mine.yaml").write_text(spec)
    done = run(project, "--server", "embedded", workers="2", TMPDIR="/no/such/directory")
    assert done.returncode == 5, done.stdout + done.stderr
    assert done.stderr == ("poolspec: the environment cannot run the tests; the reason is above\n")
    reason = "No server to test on: No private server can be made in /no/such/directory: "
    assert done.stdout.count(f"ERROR: {reason}") == 1
    assert done.stdout.count("No such file or directory") == 1
    assert "partial report: build/coverage/index.md" in done.stdout
    page = (project / "build" / "coverage" / "index.md").read_text()
    assert (
        "**These results are partial.** The run was stopped after 0 of 2 tests: No server" in page
    )
    assert json.loads((project / "build" / "results.json").read_text())["tests"] == []


def begun(project: Path, workers: str) -> subprocess.Popen[str]:
    """Start a run whose first test takes 15 s; return when that test has begun."""
    (project / "specs" / "mine.yaml").write_text(HANGING)
    (project / "conftest.py").write_text(MARKS_THE_START)
    process = subprocess.Popen(
        [SCRIPT, "run", "-n", workers],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # as a terminal has it: Ctrl-C is for all of them
    )
    until = time.monotonic() + 30
    while not (project / "begun").exists() and time.monotonic() < until:
        time.sleep(0.05)
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, output and errors of a run, of which no process is left."""
    output, errors = process.communicate(timeout=30)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return process.returncode, output, errors


REPORT = {"coverage", "results.json", "junit.xml"}


def test_after_an_interrupt_pytest_reports_its_failures(project: Path) -> None:
    process = begun(project, "0")
    os.killpg(process.pid, signal.SIGINT)
    code, output, errors = ended(process)
    assert (code, errors) == (130, "poolspec: interrupted; the report is partial\n")
    assert "KeyboardInterrupt" in output
    assert built(project) == REPORT


@pytest.mark.parametrize(
    ("workers", "number", "code"), [("0", signal.SIGINT, 130), ("2", signal.SIGTERM, 143)]
)
def test_a_signal_to_poolspec_alone_ends_all_processes_and_leaves_a_partial_report(
    project: Path, workers: str, number: signal.Signals, code: int
) -> None:
    process = begun(project, workers)
    since = time.monotonic()
    process.send_signal(number)
    done, output, errors = ended(process)
    assert time.monotonic() - since < 14  # the test would take 15 s
    assert (done, errors) == (code, "poolspec: interrupted; the report is partial\n")
    assert "partial report: build/coverage/index.md" in output
    assert built(project) == REPORT
    page = (project / "build" / "coverage" / "index.md").read_text()
    results = json.loads((project / "build" / "results.json").read_text())
    assert results["partial"] == f"interrupted after {len(results['tests'])} of 2 tests"
    assert f"**These results are partial.** The run was {results['partial']}." in page


def test_a_signal_to_all_processes_has_the_same_effect(project: Path) -> None:
    process = begun(project, "0")
    os.killpg(process.pid, signal.SIGTERM)
    code, _, errors = ended(process)
    assert (code, errors) == (143, "poolspec: interrupted; the report is partial\n")
    assert built(project) == REPORT


def test_a_second_signal_ends_all_processes_at_once(project: Path) -> None:
    process = begun(project, "2")
    (project / "endless").touch()
    process.send_signal(signal.SIGTERM)
    until = time.monotonic() + 30
    while not (project / "ending").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    code, _, errors = ended(process)
    assert (code, errors) == (143, "poolspec: interrupted\n")
    assert built(project) == set()


def test_two_runs_at_the_same_time_do_not_mix(project: Path) -> None:
    command = [SCRIPT, "run", "-n", "0", "--", "-k"]
    runs = [subprocess.Popen([*command, name], cwd=project) for name in ("closes", "hands_out")]
    assert [one.wait(60) for one in runs] == [0, 0]
    results = json.loads((project / "build" / "results.json").read_text())
    assert len(results["tests"]) == 1
    assert built(project) == {"coverage", "results.json", "junit.xml"}
