"""Demands that several steps share: to fail, to say something, to take a certain time."""

from collections.abc import Iterable
from typing import Protocol

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.python import literals
from poolspec.python.body import Body
from poolspec.spec.fields import Word
from poolspec.spec.values import Check
from poolspec.vocabulary import ErrorKind


class Failing(Protocol):
    """A step that may have to fail."""

    @property
    def fails(self) -> ErrorKind | None:
        """The way in which it must fail."""

    @property
    def says(self) -> tuple[str, ...]:
        """Parts of what the error must say."""


def texts(words: Iterable[Word]) -> tuple[str, ...]:
    """Return names without their places."""
    return tuple(word.text for word in words)


def guard(step: Failing, body: Body, took: Check | None = None, naming: str = "") -> str:
    """Return the context manager of a step that must fail, or take a certain time; or nothing."""
    if step.fails is None:
        return body.timed(took)
    timed = f", took={body.check(took)}" if took else ""
    saying = f", saying={literals.row(step.says)}" if step.says else ""
    return f"lab.fails({body.member(step.fails)}{timed}{saying}{naming})"


def must(step: Failing, took: Check | None = None, naming: str = "") -> str:
    """Return how a step must fail or how long it must take, and the end of its sentence."""
    demands = [f"fail with {code(step.fails.value)}"] if step.fails else []
    if demands and step.says:
        demands[-1] += f", saying {amounts.labels(step.says)},"
    if demands and naming:
        demands[-1] = f"{demands[-1].rstrip(',')}, naming {naming},"
    if took is not None:
        demands.append(f"take {time_taken(took)}")
    return f"; this must {' and '.join(demands).rstrip(',')}." if demands else "."


def time_taken(wanted: Check) -> str:
    """Return how long a step must take."""
    return amounts.check(wanted, " s").removeprefix("= ")
