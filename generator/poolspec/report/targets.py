"""Where a pool is told that its database is, and how, in plain words."""

from poolspec.model import Open
from poolspec.prose.markdown import code
from poolspec.vocabulary import Given, Target

_GIVEN = {
    Given.CONFIG: "by options",
    Given.URL: "by a URL",
    Given.FILE: "by a file",
    Given.ENVIRONMENT: "by the environment",
}
_TARGETS = {
    Target.RIGHT: "{}",
    Target.NO_DATABASE: "{} to no database",
    Target.WRONG_PASSWORD: "{} with a wrong password",
    Target.UNKNOWN_DATABASE: "{} to use a database that is not there",
    Target.UNKNOWN_HOST: "{} to connect to a host that has no address",
    Target.REFUSED: "{} to connect to a port at which nobody listens",
    Target.SILENT: "{} to connect to a port at which somebody listens and never says a word",
}
"""With a place for how it is told."""


def led(step: Open) -> str:
    """Return how a pool is configured, and where that leads it."""
    flaw = f" with the flaw {code(step.flaw.value)}" if step.flaw else ""
    return _TARGETS[step.target].format(_GIVEN[step.given] + flaw)
