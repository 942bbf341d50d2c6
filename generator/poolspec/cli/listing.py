"""The command `list`: prints the tests of the specs."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from poolspec.cli import exits
from poolspec.cli.loading import load, outlines, root_of
from poolspec.model import SpecClass, SpecTest
from poolspec.spec.values import numbered
from poolspec.vocabulary import Capability, Layer, Level


@dataclass(frozen=True, slots=True)
class Choice:
    """Which tests to list; None means all."""

    layers: frozenset[Layer]
    covers: str | None
    needs: Capability | None
    level: Level | None

    def takes(self, test: SpecTest) -> bool:
        """Return whether a test is chosen."""
        return (
            test.layer in self.layers
            and (self.covers is None or self.covers in test.covers)
            and (self.needs is None or self.needs in test.needs)
            and self.level in (None, test.level)
        )


def list_tests(specs: Path, choice: Choice, *, as_json: bool) -> int:
    """Print the chosen tests, one per line, or as JSON."""
    chosen = [
        (f"{spec.stem}.{test.name}", spec, test)
        for spec in load([specs], _whole if as_json else outlines, root_of(specs)).made
        for test in spec.tests
        if choice.takes(test)
    ]
    if not chosen:
        print("poolspec: no test matches", file=sys.stderr)
    if as_json:
        print(json.dumps([_as_json(*item) for item in chosen], indent=2))
        return exits.OK
    rows = [(name, *_terms(test)) for name, _, test in chosen]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(4)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
        print("  ".join(padded).rstrip())
    return exits.OK


def _whole(specs: Sequence[SpecClass]) -> Sequence[SpecClass]:
    return specs


def _lines(test: SpecTest) -> dict[str, int]:
    """Return the line of each step and of each expectation at the end; empty: of the test."""
    steps = {number: step.line for number, step in numbered(test.steps)}
    end = {f"at the end: {name}": line for name, line in test.expect.lines.items()}
    return {"": test.line, **steps, **end}


def _terms(test: SpecTest) -> tuple[str, str, str, str]:
    return test.layer.value, test.level.value, _words(test.covers) or "-", _words(test.needs) or "-"


def _words(items: Iterable[str]) -> str:
    return ",".join(str(item) for item in items)


def _as_json(name: str, spec: SpecClass, test: SpecTest) -> dict[str, object]:
    return {
        "id": name,
        "spec": str(spec.path),
        "line": test.line,
        "lines": _lines(test),
        "purpose": test.purpose,
        "layer": test.layer,
        "level": test.level,
        "covers": list(test.covers),
        "needs": list(test.needs),
        "concurrency": list(test.concurrency),
    }
