"""Checks before the first test: stale specs, registered names, and the options of the run."""

from pathlib import Path

import pytest
from tests.plugin.runs import Run

from poolspec.servers.ports import free_port

EXAMPLE = """\
spec: 1
class: Example
purpose: p
tests:
  it: {purpose: p, validates: v, covers: [], expect: {stats: {in_use: 0}}}
"""
STALE = "specs/pool.yaml has changed since these tests were generated: run poolspec gen\n"


@pytest.mark.parametrize("workers", [False, True], ids=["alone", "workers"])
@pytest.mark.parametrize(("old", "new"), [("v,", "v,"), ("v,", "w,"), ("use: 0", "use: 1")])
def test_a_spec_that_changed_since_generation_is_reported_before_any_test_runs(
    run: Run, tmp_path: Path, workers: bool, old: str, new: str
) -> None:
    (tmp_path / "specs").mkdir()
    spec = tmp_path / "specs" / "pool.yaml"
    spec.write_text(EXAMPLE)
    run.command("poolspec", "gen")
    spec.write_text(EXAMPLE.replace(old, new))
    if workers:
        run.command("pytest", "-n", "2", "-p", "no:cacheprovider", "generated_tests")
    else:
        run.pytest("generated_tests")
    assert run.code == 0, run.output
    assert run.output.count(STALE) == (old != new)
    assert STALE not in run.output.partition("%]")[2]


def test_a_failure_does_not_show_a_spec_that_changed_since_generation(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "specs").mkdir()
    spec = tmp_path / "specs" / "pool.yaml"
    spec.write_text(EXAMPLE.replace("use: 0", "use: 1"))
    run.command("poolspec", "gen")
    spec.write_text(EXAMPLE)
    run.pytest("generated_tests")
    _, _, section = run.output.partition(" spec ---")
    assert section.split("\n")[1] == (
        "specs/pool.yaml has changed since this test was generated: run poolspec gen"
    )
    assert "in_use: 0" not in run.output


WEB = """\
spec: 1
class: Example
purpose: p
web_app: {app}
tests:
  it:
    purpose: p
    validates: v
    covers: []
    steps:
      - use: {step}
      - request: GET /
        status: 200
"""
REGISTERS = """\
from poolspec.lab.steps import step
from poolspec.lab.web_apps import web_app
from poolspec.vocabulary import Concurrency


@step("dance")
def dance(lab):
    raise AssertionError("a test has run")


@web_app("shop")
@web_app("shop", Concurrency.ASYNCIO)
def shop(open_pool): ...
"""


@pytest.mark.parametrize(
    ("workers", "app", "step", "error"),
    [
        ("2", "shop", "jump", "example.it: no step 'jump' is registered (there are: dance)"),
        ("0", "shop", "jump", "example.it: no step 'jump' is registered (there are: dance)"),
        ("0", "mall", "dance", "example.it: no web application 'mall' for threads is registered"),
        ("0", "mall", "dance", "example.it: no web application 'mall' for asyncio is registered"),
    ],
)
def test_a_name_that_is_not_registered_is_an_error_before_any_test_runs(
    run: Run, tmp_path: Path, workers: str, app: str, step: str, error: str
) -> None:
    _write_web(run, tmp_path, app, step)
    run.command("pytest", "-n", workers, "--server", "embedded", "generated_tests")
    assert run.code in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.TESTS_FAILED), run.output
    assert error in run.output
    assert "a test has run" not in run.output


def test_an_application_that_the_pool_cannot_serve_need_not_be_registered(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "bare.py").write_text(
        "from poolspec.adapters.steady import SteadypoolAdapter\n"
        "from poolspec.vocabulary import Capability\n\n\n"
        "class Bare(SteadypoolAdapter):\n"
        "    capabilities = SteadypoolAdapter.capabilities - {Capability.WEB_APP}\n"
        "    asyncio = None\n"
    )
    _write_web(run, tmp_path, "mall", "dance")
    options = ("-p", "no:xdist", "--server", "embedded", "--pool", "bare:Bare")
    run.command("pytest", *options, "generated_tests")
    assert run.code == 0, run.output
    assert "2 skipped" in run.output


def _write_web(run: Run, folder: Path, app: str, step: str) -> None:
    (folder / "specs").mkdir()
    (folder / "specs" / "example.yaml").write_text(WEB.format(app=app, step=step))
    (folder / "conftest.py").write_text(REGISTERS)
    run.command("poolspec", "gen")
    assert run.code == 0, run.output


def test_an_adapter_with_a_string_for_a_capability_is_refused(run: Run, tmp_path: Path) -> None:
    base = "from poolspec.adapters.steady import SteadypoolAdapter\n\n\n"
    wrong = "class Wrong(SteadypoolAdapter):\n    capabilities = frozenset({'everything'})\n"
    (tmp_path / "wrong.py").write_text(base + wrong)
    run.test(arguments=("--pool", "wrong:Wrong"))
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert "must be of Capability, unlike 'everything'" in run.output


def test_statistics_that_an_adapter_lacks_are_named(run: Run, tmp_path: Path) -> None:
    base = "from poolspec.adapters.steady import SteadypoolAdapter\n\n\n"
    wrong = (
        "class Mute(SteadypoolAdapter):\n    name = 'mute'\n    stats = lambda *_: {'created': 1}\n"
    )
    (tmp_path / "mute.py").write_text(base + wrong)
    run.test("lab.expect_stats(closed=0)  # step 1", arguments=("--pool", "mute:Mute"))
    assert run.code == 1
    assert "stats() of the adapter 'mute' lack closed, recycled, acquired" in run.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--server", "postgres"), "--server: 'postgres' is not a server"),
        (("--pool", "hikari"), "--pool: no pool 'hikari'"),
        (("--pool", "no.such:Adapter"), "--pool: no adapter at 'no.such:Adapter'"),
        (
            ("--pool", "collections:Counter"),
            "is not an adapter: it lacks name, capabilities, driver, clock",
        ),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_runs(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    run.test(arguments=arguments)
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert said in run.output
    assert "Traceback" not in run.output


def test_a_server_that_cannot_be_reached_ends_the_run_without_its_password(run: Run) -> None:
    run.test(arguments=("--server", "mysql://root:hush@127.0.0.1:1/"))
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert "127.0.0.1:1 cannot be reached" in run.output
    assert "hush" not in run.output


def test_ports_that_cannot_be_read_are_an_error_before_any_test_runs(run: Run) -> None:
    run.test("pool.acquire()", server="embedded", arguments=("--ports", "none"))
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: --ports is 'none'; expected FIRST-LAST or one port" in run.output
    assert "passed" not in run.output


def test_the_option_chooses_the_port_of_the_private_server(run: Run) -> None:
    port = free_port()
    run.test(
        f"assert lab.context.server.address.port == {port}",
        server="embedded",
        arguments=("--ports", str(port)),
    )
    assert run.code == 0, run.output


def test_results_that_cannot_be_written_are_an_error_before_any_test_runs(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    run.test("pool.acquire()", server="embedded", arguments=("--results", "file/results.json"))
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert (
        "ERROR: --results: the folder file cannot be made: File exists; name another file"
        in run.output
    )
    assert "passed" not in run.output
