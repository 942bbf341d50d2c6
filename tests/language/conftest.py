"""Ways to load a text, shared by the tests of the spec language.

A text marks the place where an error must be with `«`; the mark is taken out before loading.
"""

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from poolspec.errors import Problem, SpecErrors
from poolspec.load import load_class_text
from poolspec.model import SpecClass, SpecTest

CLASS_HEAD = "spec: 1\nclass: Example\npurpose: For tests of the language.\ntests:\n"
TEST_HEAD = "  one:\n    purpose: p\n    validates: v\n    covers: []\n"

LoadText = Callable[[str], SpecClass]
LoadTest = Callable[[str], SpecTest]
ProblemsOf = Callable[[str], tuple[Problem, ...]]
WrongAt = Callable[[str, str], Problem]


def in_class(test: str) -> str:
    """A class with one test; the text holds the test's further keys, not indented."""
    lines = (f"    {line}\n" for line in test.strip("\n").split("\n"))
    return CLASS_HEAD + TEST_HEAD + "".join(lines)


def load(text: str) -> SpecClass:
    """Load the text of a class."""
    return load_class_text(text.encode(), PurePosixPath("specs/example.yaml"))


def problems_of(text: str) -> tuple[Problem, ...]:
    """The problems that loading a text gives; none if it loads."""
    try:
        load(text)
    except SpecErrors as errors:
        return errors.problems
    return ()


def wrong_at(text: str, message: str) -> Problem:
    """The one problem of a text; it is where the text is marked, and says what it must."""
    before, marked, after = text.partition("«")
    assert marked, "the text marks no place"
    lines = before.split("\n")
    problems = problems_of(before + after)
    said = [f"{problem.line}:{problem.column}: {problem.message}" for problem in problems]
    assert said == [f"{len(lines)}:{len(lines[-1]) + 1}: {message}"]
    return problems[0]


@pytest.fixture
def load_text() -> LoadText:
    return load


@pytest.fixture
def load_test() -> LoadTest:
    return lambda test: load(in_class(test)).tests[0]


@pytest.fixture
def find_problems() -> ProblemsOf:
    return problems_of


@pytest.fixture
def find_test_problems() -> ProblemsOf:
    return lambda test: problems_of(in_class(test))


@pytest.fixture
def wrong_file() -> WrongAt:
    return wrong_at


@pytest.fixture
def wrong_test() -> WrongAt:
    return lambda test, message: wrong_at(in_class(test), message)
