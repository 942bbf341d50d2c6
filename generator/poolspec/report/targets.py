"""Where a pool is told that its database is, and how, in plain words."""

from poolspec.vocabulary import Given, Target

GIVEN = {
    Given.CONFIG: "by options",
    Given.URL: "by a URL",
    Given.FILE: "by a file",
    Given.ENVIRONMENT: "by the environment",
}
TARGETS = {
    Target.RIGHT: "{}",
    Target.WRONG_PASSWORD: "{} with a wrong password",
    Target.UNKNOWN_DATABASE: "{} to use a database that is not there",
    Target.UNKNOWN_HOST: "{} to connect to a host that has no address",
    Target.REFUSED: "{} to connect to a port at which nobody listens",
    Target.SILENT: "{} to connect to a port at which somebody listens and never says a word",
}
"""With a place for how it is told."""
