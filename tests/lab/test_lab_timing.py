"""How a step fails is compared with what was expected of it."""

import pytest

from poolspec.lab.timing import failing
from poolspec.vocabulary import ErrorKind


def kind_of(error: BaseException) -> ErrorKind | None:
    return ErrorKind.TIMEOUT if isinstance(error, TimeoutError) else None


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (TimeoutError("late"), "timeout"),
        (ValueError("odd"), "an error for which the adapter's kind_of() has no kind"),
    ],
)
def test_another_failure_says_what_was_expected_and_what_was_seen(
    error: Exception, seen: str
) -> None:
    with (
        pytest.raises(type(error)) as raised,
        failing(kind_of, ErrorKind.CLOSED, (), lambda error: None),
    ):
        raise error
    assert raised.value.__notes__ == [f"expected to fail with closed, but it failed with {seen}"]
