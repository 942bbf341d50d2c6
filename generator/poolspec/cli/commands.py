"""What the commands do. Each returns its exit code; what it has to say goes to stdout.

`list` and `run` have modules of their own.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from poolspec.cli import exits
from poolspec.cli.loading import amount, counted, load, outlines, root_of
from poolspec.load import outline
from poolspec.model import SpecClass, Suite
from poolspec.python.names import RenderError
from poolspec.rendering.formatting import FormatError
from poolspec.rendering.generate import generate_modules
from poolspec.rendering.shape import ShapeError
from poolspec.report.coverage import INDEX, page_name, render_index, render_page
from poolspec.report.results import Results
from poolspec.schema import schema_text
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


def validate(paths: Sequence[Path]) -> int:
    """Load specs and say how many there are. Raises SpecErrors."""
    loaded = load(paths, outlines, Path.cwd())
    print(f"{amount(loaded.made)}: all valid")
    return exits.OK


def gen(places: Places, mode: Mode) -> int:
    """Bring modules and pages up to date with the specs, or say what is not."""
    suite, wanted = _wanted(places)
    schema = places.pages.parent / "schema" / SCHEMA_NAME
    if schema.parent.is_dir():
        wanted[schema] = schema_text()
    plan = _planned(wanted, [places.modules, places.pages], owned=[schema])
    if mode is Mode.CHECK:
        return _report_check(plan)
    if mode is Mode.DIFF:
        sys.stdout.write(plan.diff())
        return exits.OK
    if plan.refused and mode is not Mode.FORCE:
        raise exits.Stop(_refusal(plan), exits.REFUSED)
    _act(plan)
    print(f"{amount(suite.classes)}: {_done(plan)}")
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


@dataclass(frozen=True, slots=True)
class _Made:
    """What is made of a class, by the path where it belongs."""

    outline: SpecClass
    texts: dict[Path, str]


def _wanted(places: Places) -> tuple[Suite, dict[Path, str]]:
    """Return the suite, in outline, and all that should be written for it."""

    def make(specs: Sequence[SpecClass]) -> list[_Made]:
        return [
            _Made(
                outline(spec),
                {
                    **{places.modules / name: text for name, text in modules.items()},
                    places.pages / page_name(spec): render_page(spec),
                },
            )
            for spec, modules in zip(specs, generate_modules(specs), strict=True)
        ]

    return _together(places.specs, make, places.pages, None)


def report(specs: Path, pages: Path, results: Results) -> dict[Path, str]:
    """Return the coverage pages with the results of a run, by their paths."""

    def make(classes: Sequence[SpecClass]) -> list[_Made]:
        return [
            _Made(outline(spec), {pages / page_name(spec): render_page(spec, results)})
            for spec in classes
        ]

    return _together(specs, make, pages, results)[1]


def _together(
    specs: Path,
    make: Callable[[Sequence[SpecClass]], list[_Made]],
    pages: Path,
    results: Results | None,
) -> tuple[Suite, dict[Path, str]]:
    """Make something of each class, and the index of all of them."""
    try:
        loaded = load([specs], make, root_of(specs))
    except (RenderError, FormatError, ShapeError) as error:
        text = f"a defect of poolspec, nothing was written: {error}"
        raise exits.Stop(text, exits.DEFECT) from None
    suite = Suite(tuple(made.outline for made in loaded.made), loaded.requirements)
    wanted = {pages / INDEX: render_index(suite, results)}
    for made in loaded.made:
        wanted |= made.texts
    return suite, wanted


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
    print(f"poolspec: {counted(len(plan.pending), 'file')} out of date:", file=sys.stderr)
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
