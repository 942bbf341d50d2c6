"""The figures of a class's loads in the run of the results."""

from collections.abc import Iterator

from poolspec.model import SpecClass
from poolspec.prose.markdown import prose, table
from poolspec.report.results import Results, Verdict
from poolspec.vocabulary.outcomes import LOAD_FIGURES

_HEAD = {"throughput": "per second"}
_COUNTED = ("operations", "failed", "throughput")
_SHOWN = ("operations", "failed", *LOAD_FIGURES[1:])


def of_loads(spec: SpecClass, results: Results | None) -> Iterator[str]:
    """Return a heading and a table of the loads that ran in real time, if there were any."""
    own = {f"{spec.stem}.{test.name}" for test in spec.tests}
    loaded = [verdict for verdict in results.loaded if verdict.test in own] if results else []
    if loaded:
        yield "## Loads in real time\n"
        yield "Successful operations, failed ones, and the times of those that succeeded.\n"
        figures = (_HEAD.get(figure, figure) for figure in _SHOWN)
        head = ["test", "concurrency", "load", *figures]
        yield table(head, (row for verdict in loaded for row in _rows(verdict)))


def _rows(verdict: Verdict) -> Iterator[list[str]]:
    name = verdict.test.partition(".")[2] + (f"[{verdict.case}]" if verdict.case else "")
    for load in verdict.loads:
        label, kinds = str(load.get("load", "")), load.get("kinds", {})
        figures = {label: load}
        if len(kinds) > 1:
            figures |= {f"{label}: {kind}": kinds[kind] for kind in kinds}
        for which, given in figures.items():
            shown = (_figure(name, given.get(name)) for name in _SHOWN)
            yield [prose(name), verdict.concurrency.value, prose(which), *shown]


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if name in _COUNTED else f"{value * 1000:,.1f} ms"
