"""The time lines on the page of a class: the pictures of each test, with their tables folded.

A picture is a file beside the pages, because a page on GitHub shows only images.
"""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import PurePosixPath

from poolspec import headers
from poolspec.model import SpecClass, SpecTest
from poolspec.prose.markdown import prose
from poolspec.python import names
from poolspec.report.results import Results, Verdict
from poolspec.report.timeline.picture import Heading, draw
from poolspec.report.timeline.table import tables
from poolspec.report.timeline.words import described
from poolspec.report.words import identifier

FOLDER = PurePosixPath("timelines")
"""Where the pictures are, in the folder of the pages."""


def pictures(spec: SpecClass, results: Results) -> Mapping[PurePosixPath, str]:
    """Return the pictures of a class's tests, by their paths in the folder of the pages."""
    source, digest = names.source_path(spec.path), names.digest(spec.sha256)
    return {
        path: headers.stamp_svg(_picture(verdict, results), source, digest)
        for test in spec.tests
        for path, verdict in _named(spec, test, results)
    }


def of_test(spec: SpecClass, test: SpecTest, results: Results | None) -> Iterator[str]:
    """Yield the pictures and tables of a test, if it has left time lines."""
    for path, verdict in _named(spec, test, results) if results else ():
        assert verdict.timeline is not None
        name = f"Time line, {verdict.concurrency.value}{_case(verdict)}"
        yield f"{prose(name)}:\n"
        yield f"![{prose(name)}. {prose(described(verdict.timeline))}]({path})\n"
        yield f"<details>\n<summary>Figures of the t{escape(name[1:])}</summary>\n"
        yield from tables(verdict.timeline)
        yield "</details>\n"


def _named(
    spec: SpecClass, test: SpecTest, results: Results
) -> Iterator[tuple[PurePosixPath, Verdict]]:
    """Yield the results of a test that have a time line, each with the path of its picture.

    The path has a number instead of the case's name, which may contain any character.
    """
    stem, name = names.word(spec.stem), names.word(test.name)
    for mode in test.concurrency:
        found = (one for one in results.timed.get(identifier(spec, test), ()))
        for n, verdict in enumerate(one for one in found if one.concurrency is mode):
            number = f".{n + 1}" if verdict.case else ""
            yield FOLDER / f"{stem}.{name}.{mode.value}{number}.svg", verdict


def _picture(verdict: Verdict, results: Results) -> str:
    assert verdict.timeline is not None
    title = f"{verdict.test}{_case(verdict)} ({verdict.concurrency.value})"
    outcome = verdict.outcome.value.replace("_", " ")
    about = f"{results.pool} on {results.server}: {outcome}"
    return draw(verdict.timeline, Heading(title, about), verdict.real.get("clock", "test's"))


def _case(verdict: Verdict) -> str:
    return f"[{verdict.case}]" if verdict.case else ""
