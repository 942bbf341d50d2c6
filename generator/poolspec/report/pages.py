"""The coverage page of a class: its tests, how to run them, and their steps in plain words.

Without results a page depends on the specs alone, and is the same to the byte each time. Results of
a run add the last outcome, its time, and the server of the run.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import PurePosixPath

from poolspec import headers
from poolspec.model import Matrix, SpecClass, SpecTest
from poolspec.prose.markdown import code, prose, table
from poolspec.prose.sentence import Sentence
from poolspec.python import names
from poolspec.python.literals import sentence
from poolspec.rendering.generate import module_name
from poolspec.report import figures, grades
from poolspec.report.results import Results, Verdict
from poolspec.report.scenario import scenario
from poolspec.report.timeline import section as timelines
from poolspec.report.words import OUTCOMES, counted, identifier, last_run
from poolspec.spec.values import Ref
from poolspec.vocabulary import Level

_LEVELS = {
    Level.SHOULD: "A pool *should* do so: a recommendation.",
    Level.MAY: "A pool *may* do so: a choice.",
}


def page_name(spec: SpecClass) -> PurePosixPath:
    """Return the path of a class's page in the folder of coverage pages."""
    return PurePosixPath(f"{names.word(spec.stem)}.md")


def render_page(spec: SpecClass, results: Results | None = None) -> str:
    """Return the page of a class."""
    source, digest = names.source_path(spec.path), names.digest(spec.sha256)
    return headers.stamp_markdown(_class_page(spec, results), source, digest)


def _class_page(spec: SpecClass, results: Results | None) -> str:
    modules = " ".join(f"generated_tests/{module_name(spec, one)}" for one in spec.concurrency)
    parts = [
        f"# {spec.name}\n",
        f"{prose(sentence(spec.purpose))}\n",
        *(f"{prose(sentence(part))}\n" for part in spec.description.split("\n\n") if part.strip()),
        f"{counted(len(spec.tests), 'test', 'tests')}, described in "
        f"`{names.source_path(spec.path)}`. [All classes and requirements](index.md).\n",
        *last_run(results),
        "## Tests\n",
        _tests(spec, results),
        f"{grades.EXPLAINED}\n",
        *figures.of_loads(spec, results),
        "## How to run it\n",
        f"```sh\npytest {modules}\npytest {modules} -k {spec.tests[0].name}\n```\n",
        "## Key scenarios\n",
        *(_scenario(spec, test, results) for test in spec.tests),
    ]
    return "\n".join(parts)


def _tests(spec: SpecClass, results: Results | None) -> str:
    head = ["test", "purpose", "validates", "covers", "layer", "level", "how real", "concurrency"]
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
        test.level.value,
        grades.how_real(test, _seen(results, spec, test)),
        ", ".join(concurrency.value for concurrency in test.concurrency),
    ]
    return [*row, *_last(results, spec, test)] if results else row


def _seen(
    results: Results | None, spec: SpecClass, test: SpecTest
) -> list[Mapping[str, str]] | None:
    """Return the real parts of a test, concurrency by concurrency."""
    if results is None:
        return None
    name = identifier(spec, test)
    return [results.real(name, concurrency) for concurrency in test.concurrency]


def _last(results: Results, spec: SpecClass, test: SpecTest) -> list[str]:
    """Return how a test ended and how long it took, concurrency by concurrency."""
    modes = results.modes_of(test.concurrency)
    found = [results.verdicts.get((identifier(spec, test), mode)) for mode in modes]
    outcomes, times = zip(*map(_outcome, found), strict=True)
    if len(set(outcomes)) == 1:
        return [outcomes[0], ", ".join(times)]
    said = zip(modes, outcomes, strict=True)
    return [
        ", ".join(f"{concurrency.value} {outcome}" for concurrency, outcome in said),
        ", ".join(times),
    ]


def _outcome(verdict: Verdict | None) -> tuple[str, str]:
    if verdict is None:
        return "not run", "–"
    reason = f": {prose(verdict.reason)}" if verdict.reason else ""
    return f"{OUTCOMES[verdict.outcome]}{reason}", f"{verdict.seconds * 1000:.0f} ms"


def _scenario(spec: SpecClass, test: SpecTest, results: Results | None) -> str:
    purpose = f"{prose(sentence(test.purpose))}\n" if test.purpose else ""
    parts = [f"### {prose(test.name)}\n", purpose, *_terms(test), *_matrix(test.matrix)]
    steps = "\n".join([*filter(None, parts), *_items(scenario(test))]) + "\n"
    return "\n".join([steps, *timelines.of_test(spec, test, results)])


def _terms(test: SpecTest) -> Iterator[str]:
    terms = []
    if test.level in _LEVELS:
        terms.append(_LEVELS[test.level])
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
    sentences: Iterable[Sentence],
    numbers: Iterator[str] | None = None,
    indent: str = "",
) -> Iterator[str]:
    """Yield a list. The steps in it are numbered as in the generated test: `3`, then `3.1`."""
    numbers = numbers or map(str, count(1))
    for item in sentences:
        number = next(numbers) if item.is_step else ""
        yield f"{indent}- {f'**{number}** ' if number else ''}{item.text}"
        inside = (f"{number}.{inner}" for inner in count(1)) if number else numbers
        yield from _items(item.children, inside, indent + "  ")
