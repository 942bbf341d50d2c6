"""Finds the step of a spec that a line of a generated test belongs to.

The first line of each step carries a mark, `# step 3`, and the lines below belong to it too. The
line of the step in the spec is asked of the command `poolspec list`, for the run itself does not
read specs.
"""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

AT_THE_END = "at the end"
_PART = re.compile(r"\b(?:lab\.expect_(\w+)|(\w+)\.expect\w*)\(")
_MARK = re.compile(rf"  # (step [0-9.]+|{AT_THE_END})$")
_SECONDS = 30.0


def step_at(text: str, failing: int) -> str:
    """Return the step that a line of a module belongs to: `3.1`, or `at the end: stats`.

    Empty before the first step of a test.
    """
    lines = text.splitlines()
    test, statement = _spans(ast.parse(text), failing)
    for number in (*range(failing, statement.stop), *range(statement.start - 1, test.start, -1)):
        if found := _MARK.search(lines[number - 1]):
            mark = found[1].removeprefix("step ")
            return _part(lines[statement.start - 1]) if mark == AT_THE_END else mark
    return ""


def _part(line: str) -> str:
    """Return the part of the expectations at the end of a test that a statement checks."""
    found = _PART.search(line)
    return f"{AT_THE_END}: {found[1] or found[2]}" if found else AT_THE_END


def _spans(tree: ast.AST, failing: int) -> tuple[range, range]:
    """Return the lines of the test, and of the innermost statement, that a line is in."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            whole = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if failing in whole:
                found.append((is_test, whole, range(node.lineno, max(end, node.lineno) + 1)))
    tests = [whole for is_test, whole, _ in found if is_test]
    heads = [head for _, _, head in found if failing in head]
    alone = range(failing, failing + 1)
    return (tests or [alone])[0], min(heads, key=len, default=alone)


@cache
def step_lines(root: Path, folder: str) -> dict[str, dict[str, int]]:
    """Return the line of each step of every test in a folder of specs, by the test.

    Empty if a spec is not valid.
    """
    command = [sys.executable, "-m", "poolspec", "list", "--json", "--specs", folder]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    return {test["id"]: test["lines"] for test in json.loads(done.stdout)}
