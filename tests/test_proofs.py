"""Each hand-written test that a requirement names as its proof exists and runs."""

import ast
import re
from pathlib import Path

import pytest

from poolspec.load import load_suite

ROOT = Path(__file__).parents[1]
SPECS = ROOT / "specs" / "requirements.yaml"
ALWAYS_SKIPPED = re.compile(r"pytest\.mark\.skip\b")
"""A test that is skipped under a condition (`skipif`) runs where the condition is not met."""
PROOFS = [
    (item.key, node)
    for item in load_suite([SPECS], root=ROOT).requirements
    for node in item.proven_by
]


def fault(node: str, root: Path = ROOT) -> str:
    """Why a name is not that of a test that runs; empty if it is."""
    file, *names = node.split("::")
    path = root / file
    if not path.is_file():
        return f"there is no file {file}"
    found: ast.AST = ast.parse(path.read_text(encoding="utf-8"))
    for name in names:
        inside = [one for one in ast.iter_child_nodes(found) if getattr(one, "name", "") == name]
        if not inside:
            return f"{file} has no {name}"
        found = inside[-1]
        if any(map(ALWAYS_SKIPPED.match, map(ast.unparse, getattr(found, "decorator_list", ())))):
            return f"{name} is skipped"
    runs = isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    return "" if runs and names[-1].startswith("test") else f"{names[-1]} is no test"


@pytest.mark.parametrize(("key", "node"), PROOFS)
def test_a_proof_of_a_requirement_is_a_test_that_runs(key: str, node: str) -> None:
    assert fault(node) == "", key


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ("test_a.py::test_one", ""),
        ("test_a.py::TestB::test_two", ""),
        ("test_b.py::test_one", "there is no file test_b.py"),
        ("test_a.py::test_none", "test_a.py has no test_none"),
        ("test_a.py::TestB::test_one", "test_a.py has no test_one"),
        ("test_a.py::TestB", "TestB is no test"),
        ("test_a.py::helper", "helper is no test"),
        ("test_a.py::test_three", "test_three is skipped"),
        ("test_a.py::test_four", ""),
    ],
)
def test_a_proof_that_proves_nothing_is_found(tmp_path: Path, node: str, why: str) -> None:
    (tmp_path / "test_a.py").write_text(
        "def test_one(): pass\ndef helper(): pass\n"
        "class TestB:\n    def test_two(self): pass\n"
        "@pytest.mark.skip\ndef test_three(): pass\n"
        "@pytest.mark.skipif(not HERE, reason='r')\ndef test_four(): pass\n"
    )
    assert fault(node, tmp_path) == why
