"""The coverage pages: the requirements and the tests that prove them, as Markdown.

`index.md` lists every requirement with the tests that prove it, or says that none does; each class
has a page with its tests, how to run them, and their steps in plain words. Without
results the pages depend on the specs alone, and are the same to the byte each time. Results of a
run add the last outcome, the time it took, and the server that it ran on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from poolspec import headers
from poolspec.model import Matrix, Requirement, SpecClass, SpecTest, Suite
from poolspec.prose.markdown import code, prose, table
from poolspec.prose.sentence import Sentence
from poolspec.python import names
from poolspec.python.literals import sentence
from poolspec.report import figures, grades
from poolspec.report.results import Results, Verdict
from poolspec.report.scenario import scenario
from poolspec.spec.values import Ref
from poolspec.vocabulary import Layer, Level
from poolspec.vocabulary.outcomes import Outcome

INDEX = PurePosixPath("index.md")
UNLISTED = (
    "None are listed. A file with `requirements` among the specs lists them; "
    "here it will be seen which tests prove each.\n"
)

_OUTCOMES = {
    Outcome.PASSED: "✅ passed",
    Outcome.FAILED: "❌ failed",
    Outcome.ERRORED: "❌ errored",
    Outcome.NOT_APPLICABLE: "➖ not applicable",
}


def page_name(spec: SpecClass) -> PurePosixPath:
    """Return the path of a class's page in the folder of coverage pages."""
    return PurePosixPath(f"{names.word(spec.stem)}.md")


def render_page(spec: SpecClass, results: Results | None = None) -> str:
    """Return the page of a class."""
    source, digest = names.source_path(spec.path), names.digest(spec.sha256)
    return headers.stamp_markdown(_class_page(spec, results), source, digest)


def render_index(suite: Suite, results: Results | None = None) -> str:
    """Return the page of all classes and requirements. It does not depend on the steps of tests."""
    return headers.stamp_markdown(_index(suite, results), "specs", _digest(suite))


def _digest(suite: Suite) -> str:
    return headers.sha256(repr([spec.sha256 for spec in suite.classes]) + repr(suite.requirements))


# --- the index -----------------------------------------------------------------------------------


def _index(suite: Suite, results: Results | None) -> str:
    proofs = _proofs(suite)
    parts = [
        "# Coverage\n",
        _totals(suite, proofs),
        *_run(results),
        f"{grades.EXPLAINED}\n",
        "## Classes\n",
        _classes(suite, results),
        "## Layers\n",
        _layers(suite),
        "## How real\n",
        grades.tally(suite, results),
        "## Requirements\n",
        _overview(suite.requirements, proofs),
        *_sections(suite.requirements, proofs),
    ]
    return "\n".join(parts)


def _proofs(suite: Suite) -> Mapping[str, list[str]]:
    """Return links to the tests that cover each requirement, by its key."""
    proofs: dict[str, list[str]] = {item.key: [] for item in suite.requirements}
    for spec in suite.classes:
        for test in spec.tests:
            for key in test.covers:
                proofs.setdefault(key, []).append(_link(spec, test))
    return proofs


def _link(spec: SpecClass, test: SpecTest) -> str:
    return f"[{spec.stem}.{prose(test.name)}]({spec.stem}.md#{test.name})"


def _totals(suite: Suite, proofs: Mapping[str, list[str]]) -> str:
    tests = sum(len(spec.tests) for spec in suite.classes)
    known = [item.key for item in suite.requirements]
    proven = sum(bool(proofs[key]) for key in known)
    of_all = f", {proven} of {_count(len(known), 'requirement', 'requirements')} proven"
    counted = f"{_count(len(suite.classes), 'class', 'classes')}, {_count(tests, 'test', 'tests')}"
    return f"{counted}{of_all if known else ''}.\n"


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _run(results: Results | None) -> Iterator[str]:
    if results is not None:
        yield (
            f"Last run: pool {prose(results.pool)}, on {prose(results.server)}, "
            f"{results.seconds:.1f} s.\n"
        )


def _classes(suite: Suite, results: Results | None) -> str:
    head = ["class", "purpose", "tests", *(["last result"] if results else [])]
    rows = []
    for spec in suite.classes:
        row = [f"[{spec.name}]({spec.stem}.md)", prose(spec.purpose), str(len(spec.tests))]
        rows.append([*row, _tally(spec, results)] if results else row)
    return table(head, rows)


def _tally(spec: SpecClass, results: Results) -> str:
    """Return how many forms of a class's tests ended in which way, the gravest first."""
    found = [
        results.verdicts.get((_identifier(spec, test), concurrency))
        for test in spec.tests
        for concurrency in test.concurrency
    ]
    outcomes = [verdict.outcome if verdict else None for verdict in found]
    counts = [(_OUTCOMES[kind], outcomes.count(kind)) for kind in reversed(Outcome)]
    counts.append(("not run", outcomes.count(None)))
    return ", ".join(f"{number} {word}" for word, number in counts if number)


def _layers(suite: Suite) -> str:
    used = [test.layer for spec in suite.classes for test in spec.tests]
    rows = [
        [f"`{layer.value}`", str(used.count(layer)), f"`pytest -m {layer.value}`"]
        for layer in Layer
    ]
    return table(["layer", "tests", "to run them"], rows)


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


def _proof(item: Requirement, proofs: Mapping[str, list[str]]) -> list[str]:
    links = ", ".join(proofs[item.key]) or "**no test**"
    return [prose(item.key), prose(item.subject), prose(item.text), links]


# --- the page of a class -------------------------------------------------------------------------


def _class_page(spec: SpecClass, results: Results | None) -> str:
    module = f"generated_tests/test_{spec.stem}.py"
    parts = [
        f"# {spec.name}\n",
        f"{prose(sentence(spec.purpose))}\n",
        *(f"{prose(sentence(part))}\n" for part in spec.description.split("\n\n") if part.strip()),
        f"{_count(len(spec.tests), 'test', 'tests')}, described in "
        f"`{names.source_path(spec.path)}`. [All classes and requirements](index.md).\n",
        *_run(results),
        "## Tests\n",
        _tests(spec, results),
        f"{grades.EXPLAINED}\n",
        *figures.of_loads(spec, results),
        "## How to run it\n",
        f"```sh\npytest {module}\npytest {module} -k {spec.tests[0].name}\n```\n",
        "## Key scenarios\n",
        *(_scenario(test) for test in spec.tests),
    ]
    return "\n".join(parts)


def _tests(spec: SpecClass, results: Results | None) -> str:
    head = ["test", "purpose", "validates", "covers", "layer", "how real", "concurrency"]
    return table(
        [*head, "last result", "time"] if results else head,
        (_test_row(spec, test, results) for test in spec.tests),
    )


def _anchor(spec: SpecClass, test: SpecTest) -> str:
    """Return the anchor of a test's scenario. Of equal headings, the later ones get a number."""
    earlier = [spec.name.lower(), "tests"].count(test.name)
    return f"{test.name}-{earlier}" if earlier else test.name


def _test_row(spec: SpecClass, test: SpecTest, results: Results | None) -> list[str]:
    row = [
        f"[{prose(test.name)}](#{_anchor(spec, test)})",
        prose(test.purpose) or "–",
        prose(test.validates) or "–",
        ", ".join(prose(key) for key in test.covers) or "–",
        test.layer.value,
        grades.how_real(test, _seen(results, spec, test)),
        ", ".join(concurrency.value for concurrency in test.concurrency),
    ]
    return [*row, *_last(results, spec, test)] if results else row


def _seen(
    results: Results | None, spec: SpecClass, test: SpecTest
) -> list[Mapping[str, str]] | None:
    """Return the real parts of a test, concurrency by concurrency."""
    identifier = _identifier(spec, test)
    if results is None:
        return None
    return [results.real(identifier, concurrency) for concurrency in test.concurrency]


def _last(results: Results, spec: SpecClass, test: SpecTest) -> list[str]:
    """Return how a test ended and how long it took, concurrency by concurrency."""
    found = [
        results.verdicts.get((_identifier(spec, test), concurrency))
        for concurrency in test.concurrency
    ]
    outcomes, times = zip(*map(_outcome, found), strict=True)
    if len(set(outcomes)) == 1:
        return [outcomes[0], ", ".join(times)]
    said = zip(test.concurrency, outcomes, strict=True)
    return [
        ", ".join(f"{concurrency.value} {outcome}" for concurrency, outcome in said),
        ", ".join(times),
    ]


def _outcome(verdict: Verdict | None) -> tuple[str, str]:
    if verdict is None:
        return "not run", "–"
    reason = f": {prose(verdict.reason)}" if verdict.reason else ""
    return f"{_OUTCOMES[verdict.outcome]}{reason}", f"{verdict.seconds * 1000:.0f} ms"


def _identifier(spec: SpecClass, test: SpecTest) -> str:
    return f"{spec.stem}.{test.name}"


def _scenario(test: SpecTest) -> str:
    purpose = f"{prose(sentence(test.purpose))}\n" if test.purpose else ""
    parts = [f"### {prose(test.name)}\n", purpose, *_terms(test), *_matrix(test.matrix)]
    return "\n".join([*filter(None, parts), *_items(scenario(test), numbered=True)]) + "\n"


def _terms(test: SpecTest) -> Iterator[str]:
    terms = []
    if test.level is not Level.MUST:
        terms.append("A pool *should* do so, it need not.")
    if test.needs:
        terms.append(f"Needs {', '.join(code(need.value) for need in test.needs)}.")
    if terms:
        yield f"{' '.join(terms)}\n"


def _matrix(matrix: Matrix | None) -> Iterator[str]:
    if matrix is not None:
        rows = [[_cell(cell) for cell in row] for row in matrix.rows]
        yield "Run once for each row:\n"
        yield table([f"`{name}`" for name in matrix.names], rows)


def _cell(value: object) -> str:
    return prose(value.name if isinstance(value, Ref) else str(value))


def _items(
    sentences: Iterable[Sentence], *, numbered: bool = False, indent: str = ""
) -> Iterator[str]:
    for number, item in enumerate(sentences, 1):
        mark = f"{number}. " if numbered else "- "
        yield f"{indent}{mark}{item.text}"
        yield from _items(item.children, indent=indent + " " * len(mark))
