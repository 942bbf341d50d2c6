"""Expectations of states: health, remaining_timeout, real, loans."""

from collections.abc import Iterable
from dataclasses import dataclass

from poolspec.expectations.kind import ExpectationKind, refuse_empty
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.python.body import Body
from poolspec.python.literals import literal
from poolspec.spec.common import FLAG, NAME, TIMED
from poolspec.spec.fields import Fields, Key, Place
from poolspec.spec.kinds import enum_kind, fields_kind, list_kind
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.spec.values import Check
from poolspec.vocabulary import Capability, HealthWord, Real

MAIN = "main"
"""The test's own thread or task, which is no actor."""

HEALTH = Key(
    "health",
    enum_kind("a state of health", HealthWord),
    "the health that the pool reports",
    "degraded",
)
REMAINING_TIMEOUT = Key(
    "remaining_timeout", TIMED, "how much longer the borrower waits for the database", "10s ± 5%"
)
REAL = Key(
    "real",
    list_kind("a list of real parts", enum_kind("a part of a test", Real)),
    "everything that is real in the test",
    "[socket, driver]",
)


def _say_remaining_timeout(wanted: Check) -> str:
    limit = amounts.check(wanted, " s").removeprefix("= ")
    return f"a call to the database waits at most {limit} more"


def _read_real(scope: Scope, fields: Fields, key: Key[tuple[Real, ...]]) -> tuple[Real, ...] | None:
    real = fields.get(key)
    if real is not None and Real.CLOCK not in real:
        scope.names.unreal.append(("'real' without the clock", fields.at(key)))
    return real


def _say_real(wanted: tuple[Real, ...]) -> str:
    real = amounts.labels(part.value for part in wanted) or "nothing"
    return f"real in the test, and nothing else: {real}"


KIND_OF_HEALTH: ExpectationKind[HealthWord] = ExpectationKind(
    HEALTH,
    Body.member,
    lambda wanted: f"the pool reports that it is {code(wanted.value)}",
    needs=Capability.HEALTH,
    awaits=True,
    of_pool=True,
    enums=(HealthWord,),
)
KIND_OF_REMAINING_TIMEOUT: ExpectationKind[Check] = ExpectationKind(
    REMAINING_TIMEOUT,
    Body.check,
    _say_remaining_timeout,
    needs=Capability.TIME_LIMITS,
    awaits=True,
)
KIND_OF_REAL: ExpectationKind[tuple[Real, ...]] = ExpectationKind(
    REAL, Body.members, _say_real, _read_real, enums=(Real,)
)

# --- loans ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoanExpectation:
    """The expectations of one loan; None is not checked."""

    by: str | None = None
    """The actor that borrowed, or `main`."""
    seconds: Check | None = None
    """For how long it has been on loan."""
    where: bool | None = None
    """Whether the pool knows the place in the test."""


BY = Key("by", NAME, "the actor that borrowed, or `main`", "first")
LASTS = Key("for", TIMED, "how long it has been on loan", '">= 1m"')
WHERE = Key("where", FLAG, "whether the pool reports its place in the test", "true")
LOAN = Place("a loan", (BY, LASTS, WHERE))
LOANS_KEY = Key(
    "loans",
    list_kind("a list of loans", fields_kind(LOAN)),
    "all loans, the longest first",
    "[{by: first, for: 2m}]",
)


def _read_loans(
    scope: Scope, fields: Fields, key: Key[tuple[Fields, ...]]
) -> tuple[LoanExpectation, ...] | None:
    given = fields.get(key)
    if given is None:
        return None
    return tuple(_read_loan(scope, loan) for loan in given)


def _read_loan(scope: Scope, loan: Fields) -> LoanExpectation:
    refuse_empty(scope, loan)
    word = loan.get(BY)
    if word and word.text != MAIN:
        scope.find(word, Naming.ACTOR)
    return LoanExpectation(word.text if word else None, loan.get(LASTS), loan.get(WHERE))


def _write_loans(body: Body, wanted: Iterable[LoanExpectation]) -> str:
    """Return a dictionary for each loan."""
    return ", ".join(_write_loan(body, loan) for loan in wanted)


def _write_loan(body: Body, wanted: LoanExpectation) -> str:
    parts = [] if wanted.by is None else [f'"by": {literal(wanted.by)}']
    if wanted.seconds is not None:
        parts.append(f'"seconds": {body.check(wanted.seconds)}')
    if wanted.where is not None:
        parts.append(f'"where": {literal(wanted.where)}')
    return f"{{{', '.join(parts)}}}"


def _say_loans(wanted: Iterable[LoanExpectation]) -> str:
    return "on loan, the longest first: " + ("; ".join(map(_say_loan, wanted)) or "none")


def _say_loan(wanted: LoanExpectation) -> str:
    parts = [] if wanted.by is None else [f"by {code(wanted.by)}"]
    if wanted.seconds is not None:
        parts.append(f"for {amounts.check(wanted.seconds, ' s').removeprefix('= ')}")
    if wanted.where is not None:
        parts.append("the place is known" if wanted.where else "the place is not known")
    return ", ".join(parts)


KIND_OF_LOANS: ExpectationKind[tuple[LoanExpectation, ...]] = ExpectationKind(
    LOANS_KEY,
    _write_loans,
    _say_loans,
    _read_loans,
    Capability.LEAK_DETECTION,
    of_pool=True,
    arguments=("by", "seconds", "where"),
)
