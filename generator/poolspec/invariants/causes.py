"""What led to an error, and whether the error that a test raised itself came out of it all."""

from collections.abc import Iterator


class StruckError(TimeoutError):
    """The timeout of a socket with which a test cuts a call short."""

    is_expected = False
    """A step of the test had to fail, and did for this reason."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Go through an error and all that led to it, each once."""
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
