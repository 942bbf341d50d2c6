"""The command line as a user calls it: the installed script, in a process of its own."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from poolspec.sharing import MANY

SCRIPT = str(Path(sys.executable).with_name("poolspec"))

SPEC = """\
spec: 1
class: ConnectionPoolLimits
purpose: The pool never opens more connections than it was allowed.
layer: integration
pool: {size: 2, max_overflow: 0, timeout: 1s}
tests:
  pool_size_limit:
    purpose: Pool respects its maximum size
    validates: The next acquire blocks until it times out
    covers: [A06]
    steps:
      - acquire: [a, b]
      - acquire: c
        fails: timeout
    expect:
      stats: {acquired: 2, timeouts: 1}
  close_empties:
    purpose: A closed pool holds nothing
    validates: No connection is open
    layer: unit
    level: may
    covers: [A26]
    steps:
      - close: {drain: 1s}
    expect:
      stats: {total_connections: 0}
"""

REQUIREMENTS = """\
spec: 1
requirements:
  A:
    title: The contract
    keys:
      A06: {subject: Limits, text: the next acquire blocks}
      A26: {subject: Limits, text: nothing is left}
"""

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "limits.yaml").write_text(SPEC)
    (specs / "requirements.yaml").write_text(REQUIREMENTS)
    return tmp_path


def poolspec(project: Path, *arguments: str) -> Done:
    return subprocess.run(
        [SCRIPT, *arguments], cwd=project, capture_output=True, text=True, check=False, timeout=60
    )


def generated(project: Path) -> dict[str, str]:
    """Return every file but the specs, by its path."""
    files = (path for path in project.rglob("*") if path.is_file())
    kept = (path for path in files if path.parent.name != "specs")
    return {str(path.relative_to(project)): path.read_text() for path in kept}


def edit_spec(project: Path) -> None:
    spec = project / "specs" / "limits.yaml"
    spec.write_text(SPEC.replace("acquired: 2", "acquired: 3"))


def test_gen_writes_modules_and_pages(project: Path) -> None:
    done = poolspec(project, "gen")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 spec, 2 tests: 4 written, 0 unchanged, 0 removed\n"
    assert sorted(generated(project)) == [
        "docs/coverage/index.md",
        "docs/coverage/limits.md",
        "generated_tests/test_limits.py",
        "generated_tests/test_limits_asyncio.py",
    ]


def test_a_second_gen_writes_nothing(project: Path) -> None:
    poolspec(project, "gen")
    done = poolspec(project, "gen")
    assert done.stdout == "1 spec, 2 tests: 0 written, 4 unchanged, 0 removed\n"


def test_gen_gives_the_same_bytes_wherever_it_is_called(project: Path) -> None:
    poolspec(project, "gen")
    before = generated(project)
    places = ("--specs", "specs", "--out", "generated_tests", "--docs", "docs/coverage")
    absolute = [part if part.startswith("--") else str(project / part) for part in places]
    done = poolspec(project.parent, "gen", "--check", *absolute)
    assert (done.returncode, done.stdout) == (0, "")
    assert generated(project) == before


def test_check_passes_after_gen(project: Path) -> None:
    poolspec(project, "gen")
    done = poolspec(project, "gen", "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_shows_what_an_edited_spec_would_change_and_writes_nothing(project: Path) -> None:
    poolspec(project, "gen")
    before = generated(project)
    edit_spec(project)
    done = poolspec(project, "gen", "--check")
    assert done.returncode == 1
    assert "+        lab.expect_stats(acquired=3, timeouts=1)  # at the end\n" in done.stdout
    assert "generated_tests/test_limits.py: changed" in done.stderr
    assert "run `poolspec gen`" in done.stderr
    assert generated(project) == before


def test_diff_shows_the_same_and_exits_with_0(project: Path) -> None:
    poolspec(project, "gen")
    edit_spec(project)
    done = poolspec(project, "gen", "--diff")
    assert done.returncode == 0
    assert done.stdout == poolspec(project, "gen", "--check").stdout


def test_a_file_edited_by_hand_is_refused_with_a_diff(project: Path) -> None:
    poolspec(project, "gen")
    module = project / "generated_tests" / "test_limits.py"
    module.write_text(module.read_text().replace("acquired=2", "acquired=1"))
    edit_spec(project)
    before = generated(project)
    done = poolspec(project, "gen")
    assert (done.returncode, done.stdout) == (3, "")
    assert "-        lab.expect_stats(acquired=1, timeouts=1)" in done.stderr
    assert "test_limits.py: edited by hand" in done.stderr
    assert "--force" in done.stderr
    assert generated(project) == before


def test_force_overwrites_a_file_edited_by_hand(project: Path) -> None:
    poolspec(project, "gen")
    before = generated(project)
    module = project / "generated_tests" / "test_limits.py"
    module.write_text(module.read_text() + "# mine\n")
    assert poolspec(project, "gen", "--force").returncode == 0
    assert generated(project) == before


def test_the_files_of_a_deleted_spec_are_removed(project: Path) -> None:
    other = SPEC.replace("ConnectionPoolLimits", "Other")
    (project / "specs" / "other.yaml").write_text(other)
    poolspec(project, "gen")
    (project / "specs" / "other.yaml").unlink()
    done = poolspec(project, "gen")
    assert done.stdout == "1 spec, 2 tests: 1 written, 3 unchanged, 3 removed\n"
    assert not any("test_other" in name for name in generated(project))


def test_an_empty_folder_of_specs_removes_nothing(project: Path) -> None:
    poolspec(project, "gen")
    before = generated(project)
    (project / "specs" / "limits.yaml").unlink()
    done = poolspec(project, "gen")
    assert done.returncode == 2
    assert "no spec files" in done.stderr
    assert generated(project) == before


def test_gen_keeps_the_schema_where_there_is_a_folder_for_it(project: Path) -> None:
    (project / "docs" / "schema").mkdir(parents=True)
    poolspec(project, "gen")
    assert json.loads(generated(project)["docs/schema/poolspec-1.json"])["$schema"]


def test_an_invalid_spec_is_reported_and_nothing_is_written(project: Path) -> None:
    (project / "specs" / "limits.yaml").write_text(SPEC.replace("- acquire: c", "- aquire: c"))
    done = poolspec(project, "gen")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("specs/limits.yaml:13:9: ")
    assert done.stderr.endswith("poolspec: 1 error in 1 file\n")
    assert "Traceback" not in done.stderr
    assert generated(project) == {}


def test_a_missing_folder_is_reported(project: Path) -> None:
    done = poolspec(project, "gen", "--specs", "nowhere")
    assert done.returncode == 2
    assert done.stderr == "poolspec: nowhere: no such file or folder\n"


def test_a_folder_that_a_header_cannot_name_is_reported(project: Path) -> None:
    (project / "specs").rename(project / "späcs")
    done = poolspec(project, "gen", "--specs", "späcs")
    assert done.returncode == 2
    assert "a header cannot show" in done.stderr


def test_a_file_in_the_place_of_a_folder_is_reported(project: Path) -> None:
    (project / "generated_tests").write_text("mine\n")
    done = poolspec(project, "gen")
    assert done.returncode == 3
    assert "generated_tests" in done.stderr
    assert "Traceback" not in done.stderr
    assert generated(project) == {"generated_tests": "mine\n"}


def test_an_unknown_option_is_reported(project: Path) -> None:
    done = poolspec(project, "gen", "--chek-it")
    assert done.returncode == 2
    assert "unrecognized arguments: --chek-it" in done.stderr


def test_arguments_for_pytest_follow_two_dashes(project: Path) -> None:
    done = poolspec(project, "run", "-k", "limits")
    assert done.returncode == 2
    assert "unrecognized arguments: -k; arguments for pytest follow --" in done.stderr


def test_validate_counts_valid_specs_and_tests(project: Path) -> None:
    done = poolspec(project, "validate")
    assert (done.returncode, done.stdout) == (0, "1 spec, 2 tests: all valid\n")


def test_list_shows_identifier_layer_level_requirements_and_needs(project: Path) -> None:
    lines = poolspec(project, "list").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["limits.pool_size_limit", "integration", "must", "A06", "timeout"],
        ["limits.close_empties", "unit", "may", "A26", "drain"],
    ]


@pytest.mark.parametrize(
    "choice",
    [("--layer", "unit"), ("--level", "may"), ("--covers", "A26"), ("--needs", "drain")],
)
def test_list_can_choose(project: Path, choice: tuple[str, str]) -> None:
    done = poolspec(project, "list", "--json", *choice)
    assert [test["id"] for test in json.loads(done.stdout)] == ["limits.close_empties"]


def test_list_takes_several_layers(project: Path) -> None:
    done = poolspec(project, "list", "--layer", "unit,integration")
    assert len(done.stdout.splitlines()) == 2
    wrong = poolspec(project, "list", "--layer", "unit,kaos")
    assert wrong.returncode == 2
    assert "argument --layer: 'kaos' is not a layer; the layers are unit, integ" in wrong.stderr


def test_list_gives_the_lines_of_steps_and_of_expectations_at_the_end(project: Path) -> None:
    spec = SPEC.replace(
        "      - acquire: [a, b]\n",
        "      - acquire: [a, b]\n      - start:\n          other:\n            - release: a\n",
    )
    (project / "specs" / "limits.yaml").write_text(spec)
    found = {
        test["id"]: test["lines"] for test in json.loads(poolspec(project, "list", "--json").stdout)
    }
    lines = spec.splitlines()
    said = {
        number: lines[line - 1].strip() for number, line in found["limits.pool_size_limit"].items()
    }
    assert said == {
        "": "pool_size_limit:",
        "1": "- acquire: [a, b]",
        "2": "- start:",
        "2.1": "- release: a",
        "3": "- acquire: c",
        "at the end: stats": "stats: {acquired: 2, timeouts: 1}",
    }
    assert lines[found["limits.close_empties"][""] - 1] == "  close_empties:"


def test_list_reports_if_no_test_matches(project: Path) -> None:
    done = poolspec(project, "list", "--covers", "Z99")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "poolspec: no test matches\n"


def test_list_names_the_known_capabilities(project: Path) -> None:
    done = poolspec(project, "list", "--needs", "wings")
    assert done.returncode == 2
    assert "invalid choice: 'wings' (choose from 'overflow', " in done.stderr


def test_schema_is_printed_written_and_checked(project: Path) -> None:
    printed = poolspec(project, "schema").stdout
    assert poolspec(project, "schema", "--check").returncode == 1
    assert poolspec(project, "schema", "--write").returncode == 0
    assert poolspec(project, "schema", "--check").returncode == 0
    assert (project / "docs" / "schema" / "poolspec-1.json").read_text() == printed


def test_the_schema_of_results_is_printed_written_and_checked(project: Path) -> None:
    printed = poolspec(project, "schema", "results").stdout
    assert poolspec(project, "schema", "results", "--check").returncode == 1
    assert poolspec(project, "schema", "results", "--write").returncode == 0
    assert poolspec(project, "schema", "results", "--check").returncode == 0
    assert (project / "docs" / "schema" / "results-1.json").read_text() == printed


def test_validate_by_the_schema_alone_accepts_specs_and_reports_differences(project: Path) -> None:
    done = poolspec(project, "validate", "--schema-only")
    assert (done.returncode, done.stdout) == (0, "2 files: all fit the schema\n")
    (project / "specs" / "limits.yaml").write_text(SPEC.replace("size: 2", 'size: "2"'))
    done = poolspec(project, "validate", "--schema-only", "specs/limits.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("specs/limits.yaml:5:14: pool.size: the text '2' does not fit")


def test_jsonschema_is_imported_only_by_the_checks_that_need_it(project: Path) -> None:
    code = "import sys, poolspec.cli.commands; print('jsonschema' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_help_names_the_exit_codes() -> None:
    text = poolspec(Path.cwd(), "--help").stdout
    assert all(f"\n  {code} " in text for code in (0, 1, 2, 3, 4, 130))


def test_the_version_is_printed(project: Path) -> None:
    done = poolspec(project, "--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "poolspec")


def test_a_full_disk_is_reported_without_a_traceback(project: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [SCRIPT, "schema"], cwd=project, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 3
    assert done.stderr.startswith(b"poolspec: No space left on device")
    assert b"Traceback" not in done.stderr


def test_help_loads_no_template_engine() -> None:
    program = (
        "import sys, poolspec.cli\n"
        "try: poolspec.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(sorted({'jinja2', 'yaml'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_closed_pipe_causes_no_error(project: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(
            [SCRIPT, "schema"], cwd=project, stdout=pipe, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_interrupt_ends_without_a_traceback(project: Path) -> None:
    program = (
        "import sys, poolspec.cli.loading as loading, poolspec.cli\n"
        "def wait(*_):\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
        "loading.load_each = lambda *_, **__: wait()\n"
        "sys.exit(poolspec.cli.main(['validate']))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=30)
    assert (child.returncode, errors) == (130, "poolspec: interrupted\n")


def write_many(project: Path) -> None:
    """Write enough specs for several processes."""
    for number in range(MANY):
        text = SPEC.replace("ConnectionPoolLimits", f"Limits{number}")
        (project / "specs" / f"limits_{number:02}.yaml").write_text(text)


def test_many_specs_give_the_same_bytes_as_each_alone(project: Path) -> None:
    write_many(project)
    done = poolspec(project, "gen")
    assert done.stdout.startswith(f"{MANY + 1} specs, {2 * MANY + 2} tests: ")
    together = generated(project)
    for spec in (project / "specs").glob("limits_*.yaml"):
        if spec.stem not in ("limits_00", f"limits_{MANY - 1}"):
            spec.unlink()
    poolspec(project, "gen", "--force")
    alone = generated(project)
    assert len(alone) == 10
    assert {name: together[name] for name in alone if "index" not in name} == {
        name: text for name, text in alone.items() if "index" not in name
    }


def test_one_invalid_spec_among_many_is_reported_and_nothing_is_written(project: Path) -> None:
    write_many(project)
    edited = project / "specs" / "limits_40.yaml"
    edited.write_text(edited.read_text().replace("acquire: c", "aquire: c"))
    (project / "specs" / "twin.yaml").write_text(SPEC.replace("PoolLimits", "PoolBasics"))
    (project / "specs" / "twin_2.yaml").write_text(SPEC.replace("PoolLimits", "PoolBasics"))
    done = poolspec(project, "gen")
    assert done.returncode == 2
    assert "specs/limits_40.yaml:13:9: " in done.stderr
    assert "specs/twin_2.yaml:2:8: the class 'ConnectionPoolBasics' is taken" in done.stderr
    assert generated(project) == {}


def test_a_dozen_specs_cost_less_than_a_second_of_processor_time(project: Path) -> None:
    for number in range(12):
        text = SPEC.replace("ConnectionPoolLimits", f"Limits{number}")
        (project / "specs" / f"limits_{number}.yaml").write_text(text)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert poolspec(project, "gen").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 1.0
