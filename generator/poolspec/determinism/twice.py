"""`pytest --twice`: each test on virtual time runs twice, and its event logs must be equal.

The first run is not reported. The second one fails if the logs differ more than `comparison`
allows; a test that fails the first time runs again without a comparison.
"""

import json
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from itertools import zip_longest

import pytest
from _pytest.runner import runtestprotocol

from poolspec.determinism.comparison import Line, Sameness, lines_of, required, sameness
from poolspec.invariants.log import Entry
from poolspec.vocabulary import TimeKind

PROPERTY = "poolspec_twice"
_SHOWN = 3
"""Lines that are shown before and after the first difference."""
_WORDS = {
    Sameness.ALL: "the same entries in the same order",
    Sameness.ACTORS: "the same entries of each actor",
    Sameness.OUTCOMES: "the same number of each outcome",
    Sameness.KINDS: "the same kinds of outcomes",
}
_first_key = pytest.StashKey[Sequence[Line]]()


class Twice:
    """Runs tests twice and compares their logs."""

    def __init__(self, entries: Callable[[pytest.Item], list[Entry] | None]) -> None:
        """Take a function that returns the log of the test that has just run, if it has one."""
        self._entries = entries
        self._counts: Counter[int] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Run a test for the first time, before pytest runs and reports it."""
        marker = item.get_closest_marker("spec")
        if marker is None or marker.kwargs.get("time", TimeKind.VIRTUAL) != TimeKind.VIRTUAL:
            return
        # With the class as the next item, only the fixtures of the test are torn down.
        reports = runtestprotocol(item, log=False, nextitem=item.parent)  # type: ignore[arg-type]
        entries = self._entries(item)
        if entries is not None and all(report.passed for report in reports):
            item.stash[_first_key] = lines_of(entries)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Compare the logs when the test has run for the second time."""
        done = yield
        first = pyfuncitem.stash.get(_first_key, None)
        entries = self._entries(pyfuncitem)
        if first is not None and entries is not None:
            second = lines_of(entries)
            found, expected = sameness(first, second), required(first)
            shown = found if found >= expected else Sameness.NOT
            pyfuncitem.user_properties.append((PROPERTY, json.dumps(int(shown))))
            if found < expected:
                pytest.fail(_difference(expected, first, second), pytrace=False)
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the tests that ran twice, by how far their logs are equal."""
        if report.when == "call":
            self._counts.update(
                int(str(value)) for name, value in report.user_properties if name == PROPERTY
            )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the counts."""
        if self._counts:
            terminalreporter.section("ran twice")
            for level, words in [*_WORDS.items(), (Sameness.NOT, "different")]:
                if self._counts[level]:
                    terminalreporter.write_line(f"{self._counts[level]:>8}  {words}")


def _difference(expected: Sameness, first: Sequence[Line], second: Sequence[Line]) -> str:
    """Return the text of a failure: what should be equal, and where the logs differ first."""
    pairs = zip_longest(first, second)
    place = next((number for number, (one, two) in enumerate(pairs) if one != two), 0)
    part = slice(max(0, place - _SHOWN), place + _SHOWN)
    shown = [f"two runs do not have {_WORDS[expected]}; they differ at entry {place + 1}"]
    for run, lines in (("first", first), ("second", second)):
        shown += [
            f"{run} run, from entry {part.start + 1}:",
            *(f"  {line}" for line in lines[part]),
        ]
    return "\n".join(shown)
