"""How long a step takes, and how it fails; the same for both shells."""

from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from poolspec.runtime.checks import Expected, demand, mismatch
from poolspec.runtime.failing import BodyInterrupt
from poolspec.vocabulary import ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed

KindOf = Callable[[BaseException], ErrorKind | None]


@contextmanager
def taking(now: Callable[[], float], expected: Expected) -> Iterator[None]:
    """Check how long the block takes, in seconds of the test's clock."""
    started = now()
    yield
    demand(mismatch("took", expected, now() - started))


@contextmanager
def failing(
    now: Callable[[], float],
    kind_of: KindOf,
    kind: ErrorKind,
    took: Expected | None,
    saying: tuple[str, ...],
    look_into: Callable[[BaseException], None],
) -> Iterator[None]:
    """Check that the block fails in this way, what its error says, and how long it takes to.

    `look_into` gets the error, whatever it is.
    """
    started = now()
    try:
        yield
    except (Exception, CancelledError, BodyInterrupt) as error:
        look_into(error)
        interrupted = isinstance(error, BodyInterrupt)
        if (ErrorKind.INTERRUPTED if interrupted else kind_of(error)) is not kind:
            error.add_note(f"expected to fail with: {kind}")
            raise
        demand(*(_missing(part, str(error)) for part in saying))
    else:
        raise AssertionError(f"expected to fail with {kind}, but it succeeded")
    if took is not None:
        demand(mismatch("took", took, now() - started))


def _missing(part: str, text: str) -> str | None:
    return None if part in text else f"the error does not say {part!r}: {text}"
