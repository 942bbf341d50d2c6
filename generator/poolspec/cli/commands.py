"""What the commands do. Each returns its exit code; what it has to say goes to stdout."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from poolspec.cli import exits
from poolspec.load import load_suite
from poolspec.model import SpecClass, SpecTest, Suite
from poolspec.rendering import names
from poolspec.rendering.formatting import FormatError
from poolspec.rendering.generate import generate_modules
from poolspec.rendering.names import RenderError
from poolspec.rendering.shape import ShapeError
from poolspec.rendering.sharing import MANY
from poolspec.report.coverage import render_coverage
from poolspec.schema import schema_text
from poolspec.vocabulary import Capability, Layer
from poolspec.write import Plan, State, WriteError, act, make_plan

SCHEMA_NAME = "poolspec-1.json"


class Mode(StrEnum):
    """How `gen` treats the disk."""

    WRITE = "write"
    CHECK = "check"
    DIFF = "diff"
    FORCE = "force"


@dataclass(frozen=True, slots=True)
class Places:
    """Where specs are read, and modules and pages written."""

    specs: Path
    modules: Path
    pages: Path


@dataclass(frozen=True, slots=True)
class Choice:
    """Which tests to list; None means all."""

    layer: Layer | None
    covers: str | None
    needs: Capability | None

    def takes(self, test: SpecTest) -> bool:
        """Tell whether a test is among the chosen."""
        return (
            self.layer in (None, test.layer)
            and (self.covers is None or self.covers in test.covers)
            and (self.needs is None or self.needs in test.needs)
        )


def validate(paths: Sequence[Path]) -> int:
    """Load specs and say how many there are. Raises SpecErrors."""
    print(f"{_amount(_load(paths, Path.cwd()))}: all valid")
    return exits.OK


def gen(places: Places, mode: Mode) -> int:
    """Bring modules and pages up to date with the specs, or say what is not."""
    suite = load_all(places.specs)
    plan = _plan(suite, places)
    if mode is Mode.CHECK:
        return _report_check(plan)
    if mode is Mode.DIFF:
        sys.stdout.write(plan.diff())
        return exits.OK
    if plan.refused and mode is not Mode.FORCE:
        raise exits.Stop(_refusal(plan), exits.REFUSED)
    _act(plan)
    print(f"{_amount(suite)}: {_done(plan)}")
    return exits.OK


def list_tests(specs: Path, choice: Choice, *, as_json: bool) -> int:
    """Print the chosen tests, one a line, or as JSON."""
    suite = load_all(specs)
    chosen = [
        (f"{spec.stem}.{test.name}", spec, test)
        for spec in suite.classes
        for test in spec.tests
        if choice.takes(test)
    ]
    if as_json:
        print(json.dumps([_as_json(*item) for item in chosen], indent=2))
        return exits.OK
    rows = [(name, *_terms(test)) for name, _, test in chosen]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(3)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
        print("  ".join(padded).rstrip())
    return exits.OK


def print_schema() -> int:
    """Print the JSON Schema of spec files."""
    sys.stdout.write(schema_text())
    return exits.OK


def keep_schema(file: Path, *, check: bool) -> int:
    """Write the schema file, or say whether it is out of date."""
    plan = _planned({file: schema_text()}, [], owned=[file])
    if check:
        return _report_check(plan)
    _act(plan)
    print(f"{file}: {plan.changes[0].state}")
    return exits.OK


def _load(paths: Sequence[Path], root: Path) -> Suite:
    for path in paths:
        if not path.exists():
            raise exits.Stop(f"{path}: there is no such file or folder", exits.BAD_INPUT)
    suite = load_suite(paths, root=root)
    if not suite.classes:
        shown = ", ".join(str(path) for path in paths)
        raise exits.Stop(f"{shown}: no spec files (*.yaml) in there", exits.BAD_INPUT)
    return suite


def load_all(specs: Path) -> Suite:
    """Load a folder of specs. Its parent is the root: texts do not depend on where we are."""
    suite = _load([specs], Path(os.path.abspath(specs)).parent)  # noqa: PTH100 - keeps links
    for spec in suite.classes:
        try:
            names.source_path(spec.path)
        except RenderError:
            text = (
                f"{specs}: {str(spec.path)!a} has characters that a header cannot show; rename it"
            )
            raise exits.Stop(text, exits.BAD_INPUT) from None
    return suite


def _plan(suite: Suite, places: Places) -> Plan:
    modules = _generated(suite.classes)
    wanted = {places.modules / name: text for name, text in modules.items()}
    wanted |= {places.pages / page: text for page, text in render_coverage(suite).items()}
    schema = places.pages.parent / "schema" / SCHEMA_NAME
    if schema.parent.is_dir():
        wanted[schema] = schema_text()
    return _planned(wanted, [places.modules, places.pages], owned=[schema])


def _generated(specs: Sequence[SpecClass]) -> dict[str, str]:
    shown = len(specs) >= MANY and sys.stderr.isatty()
    try:
        return generate_modules(specs, _show_progress if shown else lambda _: None)
    except (RenderError, FormatError, ShapeError) as error:
        text = f"a defect of poolspec, nothing was written: {error}"
        raise exits.Stop(text, exits.DEFECT) from None
    finally:
        if shown:
            _show_progress("")


def _show_progress(text: str) -> None:
    """Write over the line before, on the terminal only."""
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()


def _planned(wanted: dict[Path, str], folders: Sequence[Path], owned: Sequence[Path]) -> Plan:
    try:
        return make_plan(wanted, folders, owned=owned)
    except WriteError as error:
        raise exits.Stop(str(error), exits.REFUSED) from None


def write(wanted: dict[Path, str], folders: Sequence[Path]) -> None:
    """Write pages over whatever was there, and remove those of ours that are no longer wanted."""
    _act(_planned(wanted, folders, owned=[]))


def _act(plan: Plan) -> None:
    try:
        act(plan)
    except WriteError as error:
        raise exits.Stop(str(error), exits.REFUSED) from None


def _report_check(plan: Plan) -> int:
    if not plan.pending:
        return exits.OK
    sys.stdout.write(plan.diff())
    print(f"poolspec: {_count(len(plan.pending), 'file')} out of date:", file=sys.stderr)
    for change in plan.pending:
        print(f"  {change.path}: {change.state}", file=sys.stderr)
    print("run `poolspec gen`, and commit what it writes", file=sys.stderr)
    return exits.OUT_OF_DATE


def _refusal(plan: Plan) -> str:
    files = "\n".join(f"  {change.path}: {change.state}" for change in plan.refused)
    return (
        f"nothing was written, for this would be lost:\n\n{plan.diff(plan.refused)}\n{files}\n"
        "put the change into the spec, or move the file away, or insist with --force"
    )


def _done(plan: Plan) -> str:
    unchanged = sum(change.state is State.UNCHANGED for change in plan.changes)
    removed = sum(change.after is None for change in plan.changes)
    written = len(plan.changes) - unchanged - removed
    return f"{written} written, {unchanged} unchanged, {removed} removed"


def _amount(suite: Suite) -> str:
    tests = sum(len(spec.tests) for spec in suite.classes)
    return f"{_count(len(suite.classes), 'spec')}, {_count(tests, 'test')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _terms(test: SpecTest) -> tuple[str, str, str]:
    return test.layer.value, _words(test.covers) or "-", _words(test.needs) or "-"


def _words(items: Iterable[str]) -> str:
    return ",".join(str(item) for item in items)


def _as_json(name: str, spec: SpecClass, test: SpecTest) -> dict[str, object]:
    return {
        "id": name,
        "spec": str(spec.path),
        "line": test.line,
        "purpose": test.purpose,
        "layer": test.layer,
        "level": test.level,
        "covers": list(test.covers),
        "needs": list(test.needs),
    }
