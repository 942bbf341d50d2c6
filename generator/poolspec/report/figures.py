"""The figures of a class's loads in the run of the results."""

from collections.abc import Iterator

from poolspec.model import SpecClass
from poolspec.prose.markdown import prose, table
from poolspec.report.results import Results, Verdict
from poolspec.vocabulary.outcomes import LOAD_FIGURES

_HEAD = {"throughput": "per second"}
_COUNTED = ("operations", "throughput")


def of_loads(spec: SpecClass, results: Results | None) -> Iterator[str]:
    """Return a heading and a table of the loads that ran in real time, if there were any."""
    own = {f"{spec.stem}.{test.name}" for test in spec.tests}
    loaded = [verdict for verdict in results.loaded if verdict.test in own] if results else []
    if loaded:
        yield "## Loads in real time\n"
        yield "Successful operations, and the times from acquire to release.\n"
        head = ["test", "concurrency", *(_HEAD.get(figure, figure) for figure in LOAD_FIGURES)]
        yield table(head, (row for verdict in loaded for row in _rows(verdict)))


def _rows(verdict: Verdict) -> Iterator[list[str]]:
    name = verdict.test.partition(".")[2] + (f"[{verdict.case}]" if verdict.case else "")
    for load in verdict.loads:
        figures = [_figure(name, load[name]) for name in LOAD_FIGURES]
        yield [prose(name), verdict.concurrency.value, *figures]


def _figure(name: str, value: float) -> str:
    return f"{value:,.0f}" if name in _COUNTED else f"{value * 1000:,.1f} ms"
