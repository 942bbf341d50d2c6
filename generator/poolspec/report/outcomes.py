"""How a run ended: its faults with their tests, its counts, and why tests do not apply."""

from collections import Counter
from collections.abc import Iterator, Sequence

from poolspec.prose.markdown import code, prose, table
from poolspec.report.results import Results, Verdict
from poolspec.report.words import OUTCOMES
from poolspec.vocabulary.outcomes import UNSUCCESSFUL, Outcome, count_missing, faults_of

_COUNTED = (Outcome.PASSED, *UNSUCCESSFUL, Outcome.NOT_APPLICABLE)
COLUMNS = (*(OUTCOMES[outcome] for outcome in _COUNTED), "time")


def tally(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the cells of `COLUMNS` for some tests: how many ended in which way, and the time."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    seconds = sum(verdict.seconds for verdict in verdicts)
    return [*(str(counts[outcome]) for outcome in _COUNTED), f"{seconds:.2f} s"]


def faults(results: Results | None) -> Iterator[str]:
    """Yield a row for each fault, with the tests it appears in, the gravest outcome first."""
    rows = [
        [OUTCOMES[outcome], prose(fault), ", ".join(tests)]
        for outcome in UNSUCCESSFUL
        for fault, tests in _tests_by_fault(results, outcome).items()
    ]
    if rows:
        yield "## Faults\n"
        yield table(["outcome", "fault", "tests"], rows)


def _tests_by_fault(results: Results | None, outcome: Outcome) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for verdict in results.every if results else ():
        if verdict.outcome is outcome:
            name = f"{prose(verdict.test)} ({verdict.concurrency})"
            for fault in faults_of(verdict.findings, verdict.reason):
                found.setdefault(fault, {})[name] = None
    return {fault: list(tests) for fault, tests in found.items()}


def not_applicable(results: Results | None) -> Iterator[str]:
    """Yield a row for each reason why tests do not apply."""
    skipped = results.every if results else ()
    reasons = [one.reason for one in skipped if one.outcome is Outcome.NOT_APPLICABLE]
    rows = [[code(word), str(number), str(alone)] for word, number, alone in count_missing(reasons)]
    if rows:
        yield "## Not applicable\n"
        yield "The last column counts the tests that the capability alone would open.\n"
        yield table(["missing", "tests that need it", "tests that need nothing else"], rows)
