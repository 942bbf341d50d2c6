"""A run on a broken pool ends, and names the fault."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from tests.plugin.broken_pools import BROKEN

from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.lab import AsyncLab
from poolspec.plugin.forms import AsyncioRun
from poolspec.servers import start_server
from poolspec.vocabulary import Connections, TimeKind

ROOT = Path(__file__).parent.parent.parent
GIVEN_UP = "Failed: not done after 1 s of real time"
SUITE = "tests/plugin/broken_suite.py"


class Run:
    """A run of the suite, or of one of its tests, on broken pools."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        results = folder / "results.json"
        command = [
            *(sys.executable, "-m", "pytest", "--server", "auto"),
            *("--pool", "tests.plugin.broken_pools:Adapter", "--results", str(results), *arguments),
        ]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        self.code = done.returncode
        self.output = done.stdout + done.stderr
        self.endings: dict[str, dict[str, str]] = defaultdict(dict)
        """The outcomes of each test, with their reasons."""
        for test in json.loads(results.read_text())["tests"] if results.exists() else ():
            self.endings[test["id"].removeprefix("broken.")][test["outcome"]] = test["reason"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("whole"), "-n", "4", SUITE)


def test_every_broken_pool_fails_its_test_and_no_other(whole: Run) -> None:
    assert whole.code == 1, whole.output
    failed = {test for test, ending in whole.endings.items() if "failed" in ending}
    assert failed == {*BROKEN, "is_given_up"}, whole.output
    assert "passed" in whole.endings["sound"].keys() & whole.endings["sound_asyncio"].keys()


def test_no_worker_is_lost_and_there_are_no_warnings(whole: Run) -> None:
    assert "INTERNALERROR" not in whole.output
    assert "crashed" not in whole.output
    assert "Warning" not in whole.output


def test_a_test_that_is_given_up_fails_for_that_reason_only(whole: Run) -> None:
    own = {"has_no_figures", "cannot_be_closed", "starts_threads", "tries_for_ever"}
    whys = {test: ending.get("failed") for test, ending in whole.endings.items()}
    given_up = {test for test, why in whys.items() if GIVEN_UP in (why or "")}
    assert given_up == {*BROKEN, "is_given_up"} - own, whys
    assert whole.endings["is_given_up"].keys() == {"failed"}
    assert "lost slot: tireless waits" in str(whys["tries_for_ever"])


def test_the_stack_of_every_thread_is_shown(whole: Run) -> None:
    failure = re.split(r"^_+ (test_\w+) _+$", whole.output, flags=re.MULTILINE)
    report = failure[failure.index("test_keeps_its_lock") + 1]
    assert "thread MainThread:" in report
    keeper = report.partition("thread keeper:")[2]
    assert "broken_pools.py" in keeper.partition("thread ")[0]
    assert "pool: does not answer: not done after 2 s" in report


def test_teardown_names_tasks_and_threads_that_do_not_end(whole: Run) -> None:
    shown = {line for line in whole.output.splitlines() if line.startswith("E   ")}
    errors = {line.removeprefix("E").strip() for line in shown}
    assert "AssertionError: tasks ignore their cancellation: main" in errors
    assert "AssertionError: tasks ignore their cancellation: stubborn" in errors
    assert "AssertionError: threads started through the event loop are still running" in errors
    assert any(error.startswith("AssertionError: the pool's close: not done") for error in errors)


def test_the_process_exits_without_the_threads_that_a_pool_has_left(tmp_path: Path) -> None:
    run = Run(tmp_path, "-p", "no:xdist", f"{SUITE}::test_starts_threads")
    assert run.code == 1
    assert "poolspec: threads that are still running are left behind: pool-worker" in run.output


def test_a_run_that_was_given_up_leaves_nothing_at_the_server() -> None:
    server = start_server("embedded")
    adapter = SteadypoolAdapter().asyncio
    assert adapter is not None
    run = AsyncioRun(server, adapter, TimeKind.VIRTUAL, Connections.DRIVER)
    tenant = run.lab.context.tenant

    async def borrow(lab: AsyncLab) -> None:
        await (await lab.pool(size=2)).acquire()
        lab.abort()

    try:
        with pytest.raises(Exception, match="was given up"):
            run.call(lambda: borrow(run.lab))
        run.dispose()
        assert server.connection_ids(tenant) == frozenset()
        with pytest.raises(Exception, match="denied"):
            server.connect(tenant)
    finally:
        server.stop()
