"""Words that both kinds of coverage pages use: outcomes, amounts, the last run."""

from collections.abc import Iterator

from poolspec.model import SpecClass, SpecTest
from poolspec.prose.markdown import prose
from poolspec.report.results import Results
from poolspec.vocabulary.outcomes import Outcome

OUTCOMES = {
    Outcome.PASSED: "✅ passed",
    Outcome.OTHERWISE: "🔀 does it otherwise",
    Outcome.SHOULD_FAILED: "⚠️ should-failed",
    Outcome.FAILED: "❌ must-failed",
    Outcome.ERRORED: "❌ errored",
    Outcome.NOT_APPLICABLE: "➖ not applicable",
}


def counted(number: int, one: str, several: str) -> str:
    """Return a number with its noun."""
    return f"{number} {one if number == 1 else several}"


def last_run(results: Results | None) -> Iterator[str]:
    """Yield lines about the run, if there are results: what ran, and what did not run as usual."""
    if results is None:
        return
    yield (
        f"Last run: pool {prose(results.pool)}, on {prose(results.server)}, "
        f"{results.seconds:.1f} s.\n"
    )
    if results.partial:
        yield f"**These results are partial.** The run was {prose(results.partial)}.\n"
    for test, why in dict.fromkeys(results.run_again):
        yield f"{prose(test)} was run again. {prose(why)}\n"


def identifier(spec: SpecClass, test: SpecTest) -> str:
    """Return the identifier of a test: `limits.pool_size_limit`."""
    return f"{spec.stem}.{test.name}"
