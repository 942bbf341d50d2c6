"""Python steps are found by name, and the error for a missing one explains how to register it."""

import pytest

from poolspec.lab.steps import find_step, step


def test_a_registered_step_is_found() -> None:
    @step("greet")
    def greet(lab: object) -> None: ...

    assert find_step("greet") is greet


def test_an_unknown_step_explains_how_to_register_one() -> None:
    with pytest.raises(LookupError, match=r"no step 'dance'.*conftest\.py"):
        find_step("dance")
