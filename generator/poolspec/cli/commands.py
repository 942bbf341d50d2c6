"""The commands `validate`, `gen` and `schema`. Each prints to stdout and returns its exit code.

`list` and `run` are in modules of the same names.
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
from poolspec.report.index import INDEX, render_index
from poolspec.report.pages import page_name, render_page
from poolspec.report.results import Results
from poolspec.report.timeline.section import FOLDER, pictures
from poolspec.schema.baseline import baseline_schema_text
from poolspec.schema.results import results_schema_text
from poolspec.schema.specs import schema_text
from poolspec.write import Plan, State, WriteError, act, make_plan


class Mode(StrEnum):
    """Whether `gen` writes, checks or compares."""

    WRITE = "write"
    CHECK = "check"
    DIFF = "diff"
    FORCE = "force"


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of specs, test modules and coverage pages."""

    specs: Path
    modules: Path
    pages: Path


def validate(paths: Sequence[Path]) -> int:
    """Load specs and print how many there are. Raises SpecErrors."""
    loaded = load(paths, outlines, Path.cwd())
    print(f"{amount(loaded.made)}: all valid")
    return exits.OK


def validate_by_schema(paths: Sequence[Path]) -> int:
    """Check files by the published schemas alone. Raises SpecErrors."""
    from poolspec.schema.files import check_files

    number = check_files(paths, root=Path.cwd())
    print(f"{counted(number, 'file')}: all fit the schema")
    return exits.OK


def gen(places: Places, mode: Mode) -> int:
    """Bring modules and pages up to date with the specs, or report what is out of date."""
    suite, wanted = _wanted(places)
    schemas = places.pages.parent / "schema"
    if schemas.is_dir():
        wanted |= {schemas / name: _TEXTS[of]() for of, name in FILE_NAMES.items()}
    owned = [schemas / name for name in FILE_NAMES.values()]
    plan = _planned(wanted, [places.modules, places.pages], owned=owned)
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


class Published(StrEnum):
    """Files that have a published schema."""

    SPECS = "specs"
    RESULTS = "results"
    BASELINE = "baseline"


_TEXTS = {
    Published.SPECS: schema_text,
    Published.RESULTS: results_schema_text,
    Published.BASELINE: baseline_schema_text,
}
FILE_NAMES = {
    Published.SPECS: "poolspec-1.json",
    Published.RESULTS: "results-1.json",
    Published.BASELINE: "baseline-1.json",
}
"""The names of the published files."""


def print_schema(of: Published) -> int:
    """Print a JSON Schema."""
    sys.stdout.write(_TEXTS[of]())
    return exits.OK


def keep_schema(of: Published, file: Path, *, check: bool) -> int:
    """Write the schema file, or report whether it is out of date."""
    plan = _planned({file: _TEXTS[of]()}, [], owned=[file])
    if check:
        return _report_check(plan)
    _act(plan)
    print(f"{file}: {plan.changes[0].state}")
    return exits.OK


@dataclass(frozen=True, slots=True)
class _Made:
    """The texts generated from a class, by their paths."""

    outline: SpecClass
    texts: dict[Path, str]


def _wanted(places: Places) -> tuple[Suite, dict[Path, str]]:
    """Return the suite in outline, and the texts to write for it, by their paths."""

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
    """Return the coverage pages and pictures with the results of a run, by their paths."""

    def make(classes: Sequence[SpecClass]) -> list[_Made]:
        return [
            _Made(
                outline(spec),
                {pages / page_name(spec): render_page(spec, results)}
                | {pages / name: text for name, text in pictures(spec, results).items()},
            )
            for spec in classes
        ]

    return _together(specs, make, pages, results)[1]


def _together(
    specs: Path,
    make: Callable[[Sequence[SpecClass]], list[_Made]],
    pages: Path,
    results: Results | None,
) -> tuple[Suite, dict[Path, str]]:
    """Make the texts of each class, and the index of all classes."""
    try:
        loaded = load([specs], make, root_of(specs))
    except (RenderError, FormatError, ShapeError) as error:
        text = f"internal error, no file was written: {error}"
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


def write(wanted: dict[Path, str], pages: Path) -> None:
    """Write pages and pictures over any files in their place.

    Remove generated ones that are no longer wanted.
    """
    _act(_planned(wanted, [pages, pages / FOLDER], owned=[]))


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
    print("run `poolspec gen` and commit the result", file=sys.stderr)
    return exits.OUT_OF_DATE


def _refusal(plan: Plan) -> str:
    files = "\n".join(f"  {change.path}: {change.state}" for change in plan.refused)
    return (
        f"no file was written, because these changes would be lost:\n\n"
        f"{plan.diff(plan.refused)}\n{files}\n"
        "make the change in the spec, move the file away, or overwrite it with --force"
    )


def _done(plan: Plan) -> str:
    unchanged = sum(change.state is State.UNCHANGED for change in plan.changes)
    removed = sum(change.after is None for change in plan.changes)
    written = len(plan.changes) - unchanged - removed
    return f"{written} written, {unchanged} unchanged, {removed} removed"
