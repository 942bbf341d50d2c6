"""A generated module imports only the names of the lab, and no spec can take one of them."""

from poolspec import lab
from poolspec.rendering.allowed import RUNTIME_NAMES
from poolspec.spec.names import RESERVED


def test_a_generated_module_may_import_all_that_the_runtime_offers() -> None:
    assert frozenset(lab.__all__) == RUNTIME_NAMES


def test_no_label_takes_the_name_of_a_function_of_the_runtime() -> None:
    assert {name for name in RUNTIME_NAMES if name.islower()} <= RESERVED
