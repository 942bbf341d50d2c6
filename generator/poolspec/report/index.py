"""The index of the coverage pages: all classes, layers and requirements with their tests."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from poolspec import headers
from poolspec.model import Requirement, SpecClass, SpecTest, Suite
from poolspec.prose.markdown import prose, table
from poolspec.report import grades, outcomes
from poolspec.report.results import Results, Verdict
from poolspec.report.words import counted, identifier, last_run
from poolspec.vocabulary import Layer, Level

INDEX = PurePosixPath("index.md")
HAND_WRITTEN = (
    "A proof that is a path is a hand-written test of the project, for behaviour that no spec can "
    "show. `pytest PATH` runs it, `poolspec run` does not.\n"
)
UNLISTED = (
    "None are listed. A file with `requirements` among the specs lists them; "
    "this page then shows the tests that prove each.\n"
)

_MEANING = {
    Level.MUST: "safety: a pool that fails is broken",
    Level.SHOULD: "quality: a recommendation",
    Level.MAY: "a choice: another pool may do it otherwise",
}


def render_index(suite: Suite, results: Results | None = None) -> str:
    """Return the page of all classes and requirements. It does not depend on the steps of tests."""
    return headers.stamp_markdown(_index(suite, results), "specs", _digest(suite))


def _digest(suite: Suite) -> str:
    return headers.sha256(repr([spec.sha256 for spec in suite.classes]) + repr(suite.requirements))


def _index(suite: Suite, results: Results | None) -> str:
    proofs = _proofs(suite)
    parts = [
        "# Coverage\n",
        _totals(suite, proofs),
        *last_run(results),
        *outcomes.faults(results),
        f"{grades.EXPLAINED}\n",
        "## Classes\n",
        _classes(suite, results),
        "## Layers\n",
        _layers(suite),
        "## Levels\n",
        _levels(suite),
        "## How real\n",
        grades.tally(suite, results),
        *outcomes.not_applicable(results),
        "## Requirements\n",
        _overview(suite.requirements, proofs),
        *_hand_written(suite.requirements),
        *_sections(suite.requirements, proofs),
    ]
    return "\n".join(parts)


def _proofs(suite: Suite) -> Mapping[str, list[str]]:
    """Return the tests that prove each requirement, by its key: those of specs first."""
    proofs: dict[str, list[str]] = {item.key: [] for item in suite.requirements}
    for spec in suite.classes:
        for test in spec.tests:
            for key in test.covers:
                proofs.setdefault(key, []).append(_link(spec, test))
    for item in suite.requirements:
        proofs[item.key] += [f"`{node}`" for node in item.proven_by]
    return proofs


def _link(spec: SpecClass, test: SpecTest) -> str:
    return f"[{spec.stem}.{prose(test.name)}]({spec.stem}.md#{test.name})"


def _totals(suite: Suite, proofs: Mapping[str, list[str]]) -> str:
    tests = sum(len(spec.tests) for spec in suite.classes)
    known = [item.key for item in suite.requirements]
    proven = sum(bool(proofs[key]) for key in known)
    of_all = f", {proven} of {counted(len(known), 'requirement', 'requirements')} proven"
    classes = counted(len(suite.classes), "class", "classes")
    return f"{classes}, {counted(tests, 'test', 'tests')}{of_all if known else ''}.\n"


def _classes(suite: Suite, results: Results | None) -> str:
    head = ["class", "purpose", "tests"]
    if results is None:
        return table(head, map(_class_row, suite.classes))
    rows = [[*_class_row(spec), *outcomes.tally(_found(spec, results))] for spec in suite.classes]
    total = outcomes.tally(list(results.verdicts.values()))
    return table([*head, *outcomes.COLUMNS], [*rows, ["total", "", "", *total]])


def _class_row(spec: SpecClass) -> list[str]:
    return [f"[{spec.name}]({spec.stem}.md)", prose(spec.purpose), str(len(spec.tests))]


def _found(spec: SpecClass, results: Results) -> list[Verdict]:
    """Return how the forms of a class's tests ended, for those that ran."""
    names = {identifier(spec, test) for test in spec.tests}
    return [verdict for (name, _), verdict in results.verdicts.items() if name in names]


def _layers(suite: Suite) -> str:
    used = [test.layer for spec in suite.classes for test in spec.tests]
    rows = [
        [f"`{layer.value}`", str(used.count(layer)), f"`pytest -m {layer.value}`"]
        for layer in Layer
    ]
    return table(["layer", "tests", "to run them"], rows)


def _levels(suite: Suite) -> str:
    used = [test.level for spec in suite.classes for test in spec.tests]
    rows = [[f"`{level.value}`", _MEANING[level], str(used.count(level))] for level in Level]
    return table(["level", "covers", "tests"], rows)


def _by_section(requirements: Iterable[Requirement]) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for item in requirements:
        found.setdefault(item.section, []).append(item)
    return found


def _overview(requirements: Sequence[Requirement], proofs: Mapping[str, list[str]]) -> str:
    """Return how far each section is proven, and which keys are still without a test."""
    rows = []
    if not requirements:
        return UNLISTED
    for section, items in _by_section(requirements).items():
        missing = [prose(item.key) for item in items if not proofs[item.key]]
        proven = f"{len(items) - len(missing)} of {len(items)}"
        rows.append([prose(section), proven, ", ".join(missing) or "–"])
    return table(["section", "proven", "without a test"], rows)


def _sections(
    requirements: Iterable[Requirement], proofs: Mapping[str, list[str]]
) -> Iterator[str]:
    for section, items in _by_section(requirements).items():
        yield f"### {prose(section)}\n"
        yield table(
            ["key", "subject", "must hold", "proven by"], (_proof(item, proofs) for item in items)
        )


def _hand_written(requirements: Iterable[Requirement]) -> Iterator[str]:
    """Yield how to run the hand-written proofs, if there are any."""
    if any(item.proven_by for item in requirements):
        yield HAND_WRITTEN


def _proof(item: Requirement, proofs: Mapping[str, list[str]]) -> list[str]:
    links = ", ".join(proofs[item.key]) or "**no test**"
    return [prose(item.key), prose(item.subject), prose(item.text), links]
