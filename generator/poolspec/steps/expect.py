"""The step `expect`: check expectations in the middle of a test."""

from dataclasses import dataclass

from poolspec.expectations import outcomes
from poolspec.expectations.registry import (
    ARGUMENTS,
    EXPECT,
    Expectations,
    build_expectations,
    say_expectations,
    write_expectations,
)
from poolspec.expectations.registry import (
    KINDS as EXPECTATIONS,
)
from poolspec.prose import amounts
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines
from poolspec.python.literals import value
from poolspec.spec.common import SECONDS
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import fields_kind
from poolspec.spec.scope import Scope
from poolspec.spec.values import Step, Value
from poolspec.steps.kind import StepKind
from poolspec.vocabulary import ErrorKind


@dataclass(frozen=True, slots=True)
class Expect(Step):
    """Check expectations in the middle of a test."""

    expectations: Expectations
    within: Value | None = None
    """Seconds in which they must become true; None: they are true now."""

    def reads(self) -> tuple[str, ...]:
        """Return the labels that they refer to."""
        return tuple(self.expectations.reads())


EXPECT_STEP = Key("expect", fields_kind(EXPECT), "check now", "{stats: {in_use: 1}}", True)
WITHIN = Key(
    "within",
    SECONDS,
    "time within which this must become true",
    "5s",
    default="it must be true now",
)


def _read(scope: Scope, fields: Fields) -> Expect | None:
    given = fields.get(EXPECT_STEP)
    if given is None:
        return None
    return Expect(fields.node.line, build_expectations(scope, given), fields.get(WITHIN))


def _write(step: Expect, body: Body) -> Lines:
    lines = write_expectations(step.expectations, body)
    if step.within is None:
        yield from lines
    else:
        yield f"{body.async_}with lab.within({value(step.within)}):"
        yield from (f"    {line}" for line in lines)


def _say(step: Expect) -> Sentence:
    soon = "" if step.within is None else f" that within {amounts.seconds(step.within)}"
    return Sentence(f"Check{soon}:", tuple(say_expectations(step.expectations)))


KINDS = (
    StepKind(
        "expect",
        (EXPECT_STEP, WITHIN),
        Expect,
        _read,
        _write,
        _say,
        expects=(EXPECT_STEP,),
        calls=("within", *(kind.call for kind in EXPECTATIONS), *outcomes.CALLS),
        arguments=(*ARGUMENTS, *(name for kind in EXPECTATIONS for name in kind.arguments)),
        enums=(ErrorKind, *(enum for kind in EXPECTATIONS for enum in kind.enums)),
    ),
)
