"""The production guide is true: its program runs, and it leaves out no error and no option."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import steadypool
from steadypool import ConnectionPool, ConnectionPoolError

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
MACHINERY = {"config_name", "clock", "random", "connect", "listeners"}
"""Options for tests, and those that other pages are about."""


def test_the_program_of_the_guide_runs(database_url: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        env=os.environ | {"DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stderr, done.stdout) == ("", "healthy ()\n0\n")


@pytest.mark.parametrize("name", steadypool.__all__)
def test_the_guide_explains_every_error(name: str) -> None:
    item = getattr(steadypool, name)
    if isinstance(item, type) and issubclass(item, ConnectionPoolError):
        assert f"`{name}`" in GUIDE


def test_the_guide_speaks_of_every_option() -> None:
    options = set(inspect.signature(ConnectionPool).parameters) - MACHINERY
    assert {option for option in options if not re.search(rf"\b{option}\b", GUIDE)} == set()


def test_every_link_of_the_guide_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / target).exists(), target
