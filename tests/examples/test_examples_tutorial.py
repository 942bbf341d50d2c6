"""Tutorial and README are correct: the commands produce the files and output that they show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
RUN = re.compile(r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE)


def run_commands(folder: Path, script: str) -> str:
    """Run a block of commands as in an activated environment; return the output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


def test_the_tutorial_shows_the_output_of_its_commands(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    spec = next(text for kind, text in BLOCK.findall(PAGE) if kind == "yaml")
    (tmp_path / "specs" / "first.yaml").write_text(spec, encoding="utf-8")
    for script, shown in RUN.findall(PAGE):
        output = run_commands(tmp_path, script)
        missing = [line for line in shown.splitlines() if line not in output]
        assert not missing, f"{script}\n{output}"
    assert len(RUN.findall(PAGE)) == len([kind for kind, _ in BLOCK.findall(PAGE) if kind == "sh"])


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_page_is_in_the_index(page: Path) -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert page.name == "README.md" or f"]({page.name})" in index


README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST, SECOND = "pool_size_limit", "overflow_connections"


def test_the_readme_shows_the_head_and_the_first_test_of_a_spec_and_of_its_module() -> None:
    spec, test = (text for _, text in BLOCK.findall(README)[:2])
    whole = (ROOT / "specs" / "limits.yaml").read_text(encoding="utf-8")
    module = (ROOT / "generated_tests" / "test_limits.py").read_text(encoding="utf-8")
    assert whole.partition(spec)[2].startswith(f"\n  {SECOND}:\n")
    assert spec.startswith("spec: 1\nclass: ConnectionPoolLimits\n")
    assert f"\ntests:\n  {FIRST}:\n" in spec
    assert module.partition(test)[2].startswith("\n    @pytest.mark.spec(\n")
    assert test.startswith("class TestConnectionPoolLimits:\n    @pytest.mark.spec(\n")
    assert test.count("def test_") == test.count(f"def test_{FIRST}(") == 1


def test_the_readmes_failure_matches_its_test_and_its_spec() -> None:
    spec, test, failure = (text for _, text in BLOCK.findall(README)[:3])
    code = [line.strip("> ") for line in failure.splitlines()[:3]]
    assert all(line.replace("acquired=3", "acquired=2") in test for line in code)
    found = re.search(r"^specs/limits\.yaml:(\d+): (.*)$", failure, re.MULTILINE)
    assert found
    whole = (ROOT / "specs" / "limits.yaml").read_text(encoding="utf-8")
    line = whole.splitlines()[int(found[1]) - 1].strip()
    assert found[2].replace("acquired: 3", "acquired: 2") == line
    assert line in spec
