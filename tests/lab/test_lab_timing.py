"""The kind of a step's failure is compared with the expected one."""

import pytest

from poolspec.lab.timing import failing
from poolspec.vocabulary import ErrorKind


def kind_of(error: BaseException) -> ErrorKind | None:
    return ErrorKind.TIMEOUT if isinstance(error, TimeoutError) else None


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (TimeoutError("late"), "timeout"),
        (ValueError("odd"), "an error that the adapter's kind_of() does not know"),
    ],
)
def test_another_failure_names_the_expected_and_the_seen_kind(error: Exception, seen: str) -> None:
    with (
        pytest.raises(type(error)) as raised,
        failing(kind_of, ErrorKind.CLOSED, (), lambda error: None),
    ):
        raise error
    assert raised.value.__notes__ == [f"expected to fail with closed, but it failed with {seen}"]
