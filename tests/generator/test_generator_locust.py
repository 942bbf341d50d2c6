"""Loads exported for Locust: the text of the file, what is refused, and a distributed run."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import pytest

from poolspec.lab.load import tasks
from poolspec.load import load_class_text, load_suite
from poolspec.rendering import locust
from poolspec.rendering.locust import Exported, ExportError, loads_of, locust_file
from poolspec.servers import start_server

ROOT = Path(__file__).parents[2]
SCRIPT = str(Path(sys.executable).with_name("poolspec"))
PORT = 25_557
"""Where the master listens; below the ports that the system gives to clients."""
SPEC = """\
spec: 1
class: Mine
purpose: p
time: real
pool: {size: 4, max_overflow: 0, timeout: 10s}
tables: [orders]
tests:
  one:
    purpose: p
    validates: v
    covers: []
    steps:
      - load: traffic
        clients: 6
        mix: {read: 3, write: 1}
        LINES
    expect: {traffic: {failed: 0}}
"""
TABLES = """\
spec: 1
tables:
  orders: {columns: {id: {type: int, primary_key: true}, customer: {type: varchar(50)}}}
"""


def exported(tmp_path: Path, *lines: str, spec: str = SPEC) -> Exported:
    (tmp_path / "specs").mkdir(exist_ok=True)
    (tmp_path / "specs" / "tables.yaml").write_text(TABLES)
    text = spec.replace("LINES", "\n        ".join(lines or ("each: 5",)))
    (tmp_path / "specs" / "mine.yaml").write_text(text)
    (spec_class,) = load_suite([tmp_path / "specs"], root=tmp_path).classes
    return next(loads_of(spec_class))


def constants(text: str) -> dict[str, object]:
    """Return the values of a spec in a Locust file."""
    found: dict[str, object] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.isupper() and name not in ("COMMITS", "GOLDEN", "ROWS_OF_A_WORKER"):
                found[name] = ast.literal_eval(node.value)
    return found


def test_a_file_has_the_terms_of_the_load(tmp_path: Path) -> None:
    terms = ("duration: 5s", "warm_up: 2s", "think: 10ms..30ms", "hold: 5ms", "timeout: 1s")
    found = constants(locust_file(exported(tmp_path, *terms)))
    assert {name: found[name] for name in ("CLIENTS", "DURATION", "WARM_UP", "RATE", "MIX")} == {
        "CLIENTS": 6,
        "DURATION": 5.0,
        "WARM_UP": 2.0,
        "RATE": None,
        "MIX": {"read": 3, "write": 1},
    }
    assert (found["THINK"], found["HOLD"]) == ((0.01, 0.03), (0.005, 0.005))
    assert (found["TIMEOUT"], found["RAMP"]) == (1.0, 0)
    assert found["OPTIONS"] == {"size": 4, "max_overflow": 0, "timeout": 10.0}


def test_an_open_load_has_a_rate(tmp_path: Path) -> None:
    assert constants(locust_file(exported(tmp_path, "duration: 5s", "rate: 9/s")))["RATE"] == 9.0


def test_a_closed_load_starts_its_clients_within_the_ramp(tmp_path: Path) -> None:
    assert constants(locust_file(exported(tmp_path, "duration: 5s", "ramp: 3s")))["RAMP"] == 3.0


def test_the_usual_statements_are_those_of_the_lab(tmp_path: Path) -> None:
    found = constants(locust_file(exported(tmp_path)))
    insert = tasks.INSERT.replace("%s", "%(number)s", 1).replace("%s", "%(client)s", 1)
    assert found["STATEMENTS"] == {"read": ["SELECT 1"], "write": [insert]}
    assert found["TABLES"].keys() == {"orders", tasks.TABLE}  # type: ignore[attr-defined]
    assert (locust.CREATE, locust.COUNT) == (tasks.CREATE, tasks.COUNT)


HOSTILE = "SELECT '\"\"\"', 100 % 7, '{{ 7 }} \\\\', :number -- \\x41'); import os"


def test_a_statement_reaches_the_file_as_a_literal_alone(tmp_path: Path) -> None:
    line = f"statements: {{read: [{HOSTILE!r}]}}".replace("\\'", "''")
    text = locust_file(exported(tmp_path, "each: 5", line))
    (statement,) = constants(text)["STATEMENTS"]["read"]  # type: ignore[index]
    plain = re.sub(r"%\(\w+\)s", "1", statement)
    assert "100 %% 7" in plain
    assert '"""' in plain
    imported = {alias.name for node in ast.walk(ast.parse(text)) for alias in names_of(node)}
    assert "os" not in imported


def names_of(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []


def test_the_file_is_the_same_each_time_and_formatted(tmp_path: Path) -> None:
    load = exported(tmp_path)
    text = locust_file(load)
    assert text == locust_file(load)
    assert text.startswith("# Exported by poolspec from specs/mine.yaml. Edit that, then export")
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["rate: 9/s", "duration: 1s", "arrivals: poisson"], "its arrivals are not even"),
        (["rate: 9/s", "duration: 1s", "ramp: 1s"], "its rate has a ramp"),
        (["each: 5", "warm_up: 9"], "its warm_up is not a duration"),
    ],
)
def test_a_term_that_locust_cannot_follow_is_refused(
    tmp_path: Path, lines: list[str], why: str
) -> None:
    with pytest.raises(ExportError, match=f"mine.one.traffic cannot be exported: {why}"):
        locust_file(exported(tmp_path, *lines))


def test_a_parameter_of_a_matrix_is_refused() -> None:
    spec = SPEC.replace("tables: [orders]\n", "").replace("clients: 6", "clients: $n")
    spec = spec.replace("    steps:", "    matrix: {n: [1, 2]}\n    steps:")
    spec_class = load_class_text(
        spec.replace("LINES", "each: 5").encode(), PurePosixPath("specs/mine.yaml")
    )
    with pytest.raises(ExportError, match=r"\$n has no value outside of its test's matrix"):
        locust_file(next(loads_of(spec_class)))


def export(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, "load", "export", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_prints_the_only_load_that_matches() -> None:
    done = export("performance.a_hand_over_is_quick")
    assert (done.returncode, constants(done.stdout)["MIX"]) == (0, {"borrow": 1}), done.stderr


def test_the_command_names_the_loads_to_choose_from() -> None:
    done = export("performance.a_mixed_load_of_fifty_clients")
    assert done.returncode == 2
    assert "several loads match" in done.stderr
    assert "performance.a_mixed_load_of_fifty_clients.mixed" in done.stderr


@pytest.fixture
def url() -> Iterator[str]:
    server = start_server("auto")
    tenant = server.create_tenant()
    at = f"{tenant.address.host}:{tenant.address.port}"
    yield f"mysql://{tenant.user}:{quote(tenant.password, safe='')}@{at}/{tenant.database}"
    server.stop()


@pytest.mark.skipif(not importlib.util.find_spec("locust"), reason="needs the extra `locust`")
def test_a_master_and_two_workers_drive_the_mix_of_the_spec(tmp_path: Path, url: str) -> None:
    (tmp_path / "locustfile.py").write_text(locust_file(exported(tmp_path, "duration: 3s")))
    command = [sys.executable, "-m", "locust", "--headless", "--server", url]
    at = ["--master-host", "127.0.0.1", "--master-port", str(PORT)]
    bound = ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(PORT)]
    how = {"cwd": tmp_path, "env": os.environ, "stdout": subprocess.DEVNULL}
    workers = [subprocess.Popen([*command, "--worker", *at], **how) for _ in range(2)]  # type: ignore[call-overload]
    try:
        done = subprocess.run(
            [*command, "--master", *bound, "--expect-workers", "2", "--json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        codes = [worker.wait(20) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert (done.returncode, codes) == (0, [0, 0]), done.stderr
    assert "2 workers connected" in done.stderr
    counts = {
        kind: int(n)
        for kind, n in re.findall(
            r'"name": "(\w+)".*?"num_requests": (\d+)', done.stdout, re.DOTALL
        )
    }
    assert counts.keys() == {"read", "write"}
    assert counts["read"] / sum(counts.values()) == pytest.approx(0.75, abs=0.02)
