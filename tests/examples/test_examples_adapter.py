"""The guide to adapters is correct: its adapters work, are short, and open as much as it says.

The tests that apply are counted by what they need, without a run.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from poolspec.adapters import BUNDLED, PoolUnderTest, find_pool
from poolspec.vocabulary import Capability, Concurrency, Connections, Defect, EventKind
from poolspec.vocabulary.outcomes import Outcome

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
SHOWN = re.compile(r"^```sh\n(.*?)^```\n\n```text\n(.*?)^```", re.DOTALL | re.MULTILINE)
THREADS, ASYNCIO, *_ = BLOCK.findall(GUIDE)
MOST_LINES = 30
AT_LEAST = 110
ABOUT = 15
"""Tests by which a number in the guide may be off."""


@cache
def guide() -> ModuleType:
    """Return a module with all code blocks of the guide, in order."""
    module = ModuleType("guide")
    exec("\n".join(BLOCK.findall(GUIDE)), vars(module))
    return module


@pytest.fixture
def pool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> PoolUnderTest:
    """The pool under test by an adapter of the guide."""
    find_pool.cache_clear()
    monkeypatch.setitem(sys.modules, "guide", guide())
    return find_pool(f"guide:{request.param}")


def needs(concurrency: Concurrency) -> Iterator[frozenset[Capability]]:
    """Yield the capabilities of the pool that each generated test needs, on a real server."""
    for path in (ROOT / "generated_tests").glob("test_*.py"):
        if path.stem.endswith("_asyncio") is (concurrency is Concurrency.ASYNCIO):
            yield from map(_needs, _markers(path))


def _markers(path: Path) -> Iterator[dict[str, Any]]:
    for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(found, ast.Call) and ast.unparse(found.func) == "pytest.mark.spec":
            yield {str(one.arg): ast.literal_eval(one.value) for one in found.keywords}


def _needs(marker: dict[str, Any]) -> frozenset[Capability]:
    is_scripted = marker.get("connections") in (Connections.SCRIPTED, Connections.MINIMAL)
    of_server = {Capability.KILL} if is_scripted else OF_SERVER
    return frozenset(map(Capability, marker.get("needs", ()))) - of_server


OF_SERVER = {
    *(Capability.ROW_LOCKS, Capability.ISOLATION_LEVELS),
    *(Capability.KILL, Capability.SERVER_CONTROL, Capability.LINE, Capability.PROTOCOL),
}
"""The capabilities of a private server."""
ADAPTERS = [
    pytest.param("HomeMadeAdapter", Concurrency.THREADS, THREADS, id="threads"),
    pytest.param("AiomysqlPoolAdapter", Concurrency.ASYNCIO, ASYNCIO, id="asyncio"),
]


@pytest.mark.parametrize(("pool", "concurrency", "code"), ADAPTERS, indirect=["pool"])
def test_an_adapter_of_thirty_lines_opens_at_least_110_tests(
    pool: PoolUnderTest, concurrency: Concurrency, code: str
) -> None:
    able = pool.capabilities(concurrency)
    applicable = sum(needed <= able for needed in needs(concurrency))
    lines = [line for line in code.splitlines() if line.strip() and line.strip()[0] != "#"]
    (stated,) = re.findall(r"About (\d+) tests apply to it", GUIDE.partition(code)[2])[:1]
    assert len(lines) <= MOST_LINES
    assert Capability.STATISTICS not in able
    assert applicable >= AT_LEAST
    assert abs(applicable - int(stated)) <= ABOUT


def test_the_guide_shows_the_adapter_of_the_examples() -> None:
    example = (ROOT / "examples" / "home_made_adapter.py").read_text(encoding="utf-8")
    assert example.endswith(f'"""\n\n{THREADS}')


@pytest.mark.parametrize("name", ["WrappingAdapter", "ResizableAdapter"])
def test_every_other_adapter_of_the_guide_is_accepted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_pool.cache_clear()
    monkeypatch.setitem(sys.modules, "guide", guide())
    assert find_pool(f"guide:{name}").threads is not None


def test_the_event_of_the_guide_is_one_that_the_lab_takes() -> None:
    class Clock:
        def now(self) -> float:
            return 1.5

    class Wiring:
        clock = Clock()

        def __init__(self) -> None:
            self.entries: list[Any] = []
            self.listen = self.entries.append

    wiring = Wiring()
    guide().report(wiring, 3)
    (entry,) = wiring.entries
    assert (entry.kind, entry.at, entry.ticket) == (EventKind.CHECKOUT_QUEUED, 1.5, 3)


def test_the_command_of_the_guide_prints_the_lines_that_it_shows() -> None:
    ((command, shown),) = SHOWN.findall(GUIDE)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert [line for line in shown.splitlines() if line not in done.stdout] == [], done.stdout


def test_the_guide_names_every_bundled_pool() -> None:
    assert {name for name in BUNDLED if f"\n| `{name}` |" not in GUIDE} == set()


def test_the_guide_names_every_defect_and_every_outcome() -> None:
    words = {"failed": "must-failed", "should_failed": "should-failed"}
    outcomes = {words.get(one, one.replace("_", " ")) for one in Outcome} - {"passed"}
    assert {one for one in Defect if f"`{one}`" not in GUIDE.replace("\n", " ")} == set()
    assert {one for one in outcomes if f"\n| {one} |" not in GUIDE} == set()
