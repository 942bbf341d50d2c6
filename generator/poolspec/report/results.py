"""What a run found out, read from its results file.

Results come back to the build side only as this file, which the run side writes:

    {"schema": 1, "server": {"kind": "mariadb", "description": "…", "version": "…"},
     "pool": "steadypool", "seconds": 2.31,
     "tests": [{"id": "limits.pool_size_limit", "case": "", "concurrency": "threads",
                "outcome": "passed", "seconds": 0.012, "reason": "",
                "real": {"server": "mariadb", "socket": "unix", "driver": "steadypool",
                         "clock": "virtual"}}]}

An entry without a concurrency is about threads. An entry of a test that did not run has no `real`.
One with load in real time has `loads`, each with the figures that `LOAD_FIGURES` names.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from poolspec.vocabulary import Concurrency

SCHEMA = 1
PARTS = ("server", "socket", "driver", "clock")
"""What may be real in a test."""
LOAD_FIGURES = ("operations", "throughput", "mean", "p50", "p90", "p95", "p99", "p99.9", "max")
"""The figures of a load: operations, operations per second, seconds per operation."""


class ResultsError(Exception):
    """A results file is not what a run writes; says where it differs."""


class Outcome(StrEnum):
    """How a test ended. The order is that of gravity."""

    NOT_APPLICABLE = "not_applicable"
    PASSED = "passed"
    ERRORED = "errored"
    FAILED = "failed"


_GRAVITY = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one test for one concurrency, or of one case of its matrix."""

    test: str
    concurrency: Concurrency
    outcome: Outcome
    seconds: float
    reason: str
    real: Mapping[str, str] = field(default_factory=dict)
    """What server, socket, driver and clock were; empty where that is not known."""
    case: str = ""
    loads: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """The results of one run, and what it ran on."""

    server: str
    """In words: MariaDB 10.11, private instance."""
    pool: str
    seconds: float
    verdicts: Mapping[tuple[str, Concurrency], Verdict]
    """By test and concurrency: the gravest outcome of its cases, and the time of all of them."""
    loaded: tuple[Verdict, ...] = ()
    """Every case, by itself, in which there was load in real time."""

    def real(self, test: str, concurrency: Concurrency) -> Mapping[str, str]:
        """Return what was real in a test; empty if it did not run, or if that is not known."""
        verdict = self.verdicts.get((test, concurrency))
        return verdict.real if verdict else {}


def parse_results(text: str) -> Results:
    """Read the text of a results file. Raises ResultsError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"not JSON: {error}") from None
    top = _object(found, "the file")
    if top.get("schema") != SCHEMA:
        raise ResultsError(
            f"schema is {top.get('schema')!r}, expected {SCHEMA}; run the tests again"
        )
    server = _object(top.get("server"), "server")
    tests = top.get("tests")
    if not isinstance(tests, list):
        raise ResultsError(f"tests: expected a list, found {type(tests).__name__}")
    verdicts = list(_verdicts(tests))
    return Results(
        server=_text(server, "description", "server"),
        pool=_text(top, "pool", "the file"),
        seconds=_number(top, "seconds", "the file"),
        verdicts=_by_test(verdicts),
        loaded=tuple(verdict for verdict in verdicts if verdict.loads),
    )


def _by_test(verdicts: Iterable[Verdict]) -> dict[tuple[str, Concurrency], Verdict]:
    found: dict[tuple[str, Concurrency], Verdict] = {}
    for verdict in verdicts:
        key = verdict.test, verdict.concurrency
        seen = found.get(key, verdict)
        worst = max(seen, verdict, key=lambda one: _GRAVITY[one.outcome])
        seconds = verdict.seconds if seen is verdict else seen.seconds + verdict.seconds
        found[key] = replace(worst, seconds=seconds, real=seen.real or verdict.real)
    return found


def _verdicts(items: Iterable[object]) -> Iterable[Verdict]:
    for number, item in enumerate(items):
        where = f"tests[{number}]"
        entry = _object(item, where)
        yield Verdict(
            test=_text(entry, "id", where),
            concurrency=_concurrency(entry, where),
            outcome=_outcome(_text(entry, "outcome", where), where),
            seconds=_number(entry, "seconds", where),
            reason=_text(entry, "reason", where),
            real=_real(entry, where),
            case=_text(entry, "case", where) if "case" in entry else "",
            loads=tuple(_loads(entry, where)),
        )


def _concurrency(entry: Mapping[str, object], where: str) -> Concurrency:
    word = entry.get("concurrency", Concurrency.THREADS)
    if word not in tuple(Concurrency):
        raise ResultsError(f"{where}.concurrency: {word!r} is none of {', '.join(Concurrency)}")
    return Concurrency(str(word))


def _real(entry: Mapping[str, object], where: str) -> Mapping[str, str]:
    given = _object(entry.get("real") or {}, f"{where}.real")
    return {part: _text(given, part, f"{where}.real") for part in PARTS if given}


def _loads(entry: Mapping[str, object], where: str) -> Iterable[Mapping[str, float]]:
    given = entry.get("loads") or []
    if not isinstance(given, list):
        raise ResultsError(f"{where}.loads: expected a list, found {type(given).__name__}")
    for number, item in enumerate(given):
        place = f"{where}.loads[{number}]"
        load = _object(item, place)
        yield {figure: _number(load, figure, place) for figure in LOAD_FIGURES}


def _outcome(word: str, where: str) -> Outcome:
    try:
        return Outcome(word)
    except ValueError:
        raise ResultsError(f"{where}.outcome: {word!r} is none of {', '.join(Outcome)}") from None


def _object(found: object, where: str) -> Mapping[str, object]:
    if not isinstance(found, dict):
        raise ResultsError(f"{where}: expected an object, found {type(found).__name__}")
    return found


def _text(entry: Mapping[str, object], key: str, where: str) -> str:
    found = entry.get(key)
    if not isinstance(found, str):
        raise ResultsError(f"{where}: {key} must be a text, found {found!r}")
    return found


def _number(entry: Mapping[str, object], key: str, where: str) -> float:
    found = entry.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ResultsError(f"{where}: {key} must be a number, found {found!r}")
    return float(found)
