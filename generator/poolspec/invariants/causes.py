"""The errors that led to an error, and the timeout that a test raises at an interruption point."""

from collections.abc import Iterator


class StruckError(TimeoutError):
    """The socket timeout that a test raises at an interruption point."""

    is_expected = False
    """Whether a step of the test had to fail, and failed because of this timeout."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all errors that led to it, each once."""
    seen: set[int] = set()
    rest: list[BaseException | None] = [error]
    while rest:
        found = rest.pop()
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            yield found
            rest += [found.__cause__, found.__context__]


def expect(error: BaseException) -> None:
    """Note that a step of the test had to fail with this error."""
    for cause in causes(error):
        if isinstance(cause, StruckError):
            cause.is_expected = True
