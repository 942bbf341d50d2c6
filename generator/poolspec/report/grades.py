"""How real each test is, in words: by its spec, or as observed in a run."""

from collections import Counter
from collections.abc import Iterable, Mapping

from poolspec.model import SpecTest, Suite
from poolspec.prose.markdown import prose, table
from poolspec.report.results import Results
from poolspec.vocabulary import Connections, TimeKind

EXPLAINED = (
    "Every test runs the real pool; its row shows how real the rest is. Server and driver are "
    "real, and connected by a socket, unless the connections are scripted, which need no "
    "server. After a run, a row shows the server, socket, driver and clock of the run. On the "
    "*virtual* clock a wait of 30 s is exact and takes no time. A test of two modes has a form "
    "for each: the borrowers are threads in one, tasks in the other."
)
_CONNECTIONS = {
    Connections.DRIVER: "server, socket, pool's driver",
    Connections.PLAIN: "server, socket, plain driver",
    Connections.SCRIPTED: "scripted connections",
    Connections.MINIMAL: "minimal scripted connections",
}
_SERVERS = {
    "mariadb": "MariaDB",
    "mysql": "MySQL",
    "url": "a server by URL",
    "embedded": "embedded server",
    "none": "no server",
}
_SOCKETS = {"none": "no socket", "unix": "unix socket", "tcp": "TCP"}
NOT_RUN = "–"
_DRIVERS = {"none": "no connection", "scripted": "scripted connections"}


def how_real(test: SpecTest, seen: Iterable[Mapping[str, str]] | None) -> str:
    """Return how real a test was for the modes that ran it; None: how real it is to be."""
    if seen is None:
        return f"{_CONNECTIONS[test.connections]}; {_clock(test.time)}"
    return " or ".join(dict.fromkeys(_seen(real) for real in seen if real)) or NOT_RUN


def tally(suite: Suite, results: Results | None) -> str:
    """Return a table of how many tests, each counted for each of its modes, are how real."""
    counts: Counter[str] = Counter()
    for spec in suite.classes:
        for test in spec.tests:
            for concurrency in test.concurrency:
                identifier = f"{spec.stem}.{test.name}"
                seen = None if results is None else [results.real(identifier, concurrency)]
                counts[how_real(test, seen)] += 1
    rows = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return table(["how real", "tests by concurrency"], ([words, str(n)] for words, n in rows))


def _seen(real: Mapping[str, str]) -> str:
    parts = [
        _words(_SERVERS, real["server"]),
        _words(_SOCKETS, real["socket"]),
        _words(_DRIVERS, real["driver"]),
    ]
    return f"{', '.join(parts)}; {_clock(real['clock'])}"


def _words(known: Mapping[str, str], given: str) -> str:
    """Return words for all grades that were seen, including unknown ones."""
    return " and ".join(known.get(word, prose(word)) for word in given.split(", "))


def _clock(kind: str) -> str:
    return "real clock" if kind == TimeKind.REAL else "virtual clock"
