"""How long a step takes, and how it fails, in either concurrency mode."""

from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from poolspec.invariants.causes import expect
from poolspec.invariants.complaints import PremiseError, demand
from poolspec.lab.comparisons import Expected
from poolspec.lab.lateness import lateness_beside
from poolspec.lifecycle.body_errors import BodyInterrupt
from poolspec.vocabulary import ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed


class Timed(Protocol):
    """A clock that can be read."""

    def now(self) -> float:
        """Return the time in seconds."""


KindOf = Callable[[BaseException], ErrorKind | None]


@contextmanager
def taking(clock: Timed, expected: Expected) -> Iterator[None]:
    """Check how long the block takes, in seconds of the test's clock."""
    with lateness_beside(clock) as lateness:
        started = clock.now()
        yield
        taken = clock.now() - started
    demand(lateness.mismatch(expected, taken))


@contextmanager
def failing(
    kind_of: KindOf,
    kind: ErrorKind,
    saying: tuple[str, ...],
    look_into: Callable[[BaseException], None],
) -> Iterator[None]:
    """Check that the block fails with this kind of error, and that its text has these parts.

    `look_into` gets every error.
    """
    try:
        yield
    except (Exception, CancelledError, BodyInterrupt) as error:
        look_into(error)
        found = ErrorKind.INTERRUPTED if isinstance(error, BodyInterrupt) else kind_of(error)
        if found is not kind:
            seen = found or "an error that the adapter's kind_of() does not know"
            error.add_note(f"expected to fail with {kind}, but it failed with {seen}")
            raise
        expect(error)
        demand(*(_missing(part, str(error)) for part in saying))
    else:
        text = f"expected to fail with {kind}, but it succeeded"
        if kind is ErrorKind.LOST:
            raise PremiseError(f"{text}: the pool ran it again on another connection")
        raise AssertionError(text)


def _missing(part: str, text: str) -> str | None:
    return None if part in text else f"the error does not say {part!r}: {text}"
