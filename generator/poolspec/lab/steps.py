"""Steps written in Python, for actions that the spec language does not have.

A spec names a step: `use: rotate_password`. Register it where pytest finds it, in `conftest.py`:

    from poolspec.lab.steps import step

    @step("rotate_password")
    def rotate_password(lab: Lab) -> None: ...

In an asyncio test the function gets an `AsyncLab`, and may be a coroutine function.
"""

from collections.abc import Callable
from typing import Any

Step = Callable[[Any], Any]

_STEPS: dict[str, Step] = {}


def step(name: str) -> Callable[[Step], Step]:
    """Register a function as the step of that name."""

    def register(function: Step) -> Step:
        _STEPS[name] = function
        return function

    return register


def find_step(name: str) -> Step:
    """Return the step of that name. Raises LookupError with instructions to register one."""
    try:
        return _STEPS[name]
    except KeyError:
        known = ", ".join(sorted(_STEPS)) or "none"
        raise LookupError(
            f"no step {name!r} is registered (there are: {known}); "
            f"put @step({name!r}) above a function in a conftest.py"
        ) from None
