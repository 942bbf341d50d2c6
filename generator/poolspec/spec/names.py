"""Which words may become Python names.

Every word of a spec that ends up as an identifier of a generated module passes one of these
patterns and is none of Python's own words, nor one that the module already uses. There is no other
way in.
"""

import re
from enum import StrEnum
from typing import Final

LABEL: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
TEST: Final = re.compile(r"[a-z][a-z0-9_]{0,79}")
CLASS: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,79}")
STEM: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
PATH: Final = re.compile(r"[A-Za-z0-9._/+@=,~() -]+")
REQUIREMENT: Final = re.compile(r"[A-Z][0-9]{2,3}")
NODE: Final = re.compile(
    r"([A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_-]*\.py(::[A-Za-z_][A-Za-z0-9_]*){1,2}"
)
"""A test of pytest, by its file below the project: `tests/test_ports.py::test_a_port_is_free`."""

HELPER: Final = re.compile(r"(attempted|forked|interrupted|reentered)(_[0-9]+)?")
"""Functions inside a test: of a forked child, of interrupted steps."""

RESERVED: Final = frozenset(
    (
        *("lab", "pool", "self", "point", "nothing", "pytest", "test", "actor", "async_actor"),
        *("approx", "at_least", "at_most", "between", "less_than", "more_than", "not_equal"),
    )
)
"""Names that a generated module uses itself; no classes, since names of a spec are lower case."""

_PYTHON_WORDS = """
abs aiter all and anext any as ascii assert async await bin bool break breakpoint bytearray bytes
callable case chr class classmethod compile complex continue copyright credits def del delattr
dict dir divmod elif else enumerate eval except exec exit filter finally float for format from
frozenset getattr global globals hasattr hash help hex id if import in input int is isinstance
issubclass iter lambda len license list locals map match max memoryview min next nonlocal not
object oct open or ord pass pow print property quit raise range repr return reversed round set
setattr slice sorted staticmethod str sum super try tuple type vars while with yield zip
"""
PYTHON: Final = frozenset(_PYTHON_WORDS.split())
"""Keywords and builtins. A list, so that a spec is right or wrong under every Python alike."""


class Naming(StrEnum):
    """The kinds of names inside a test. All share one namespace."""

    PARAMETER = "matrix parameter"
    LABEL = "connection"
    POOL = "pool"
    ACTOR = "actor"
    LOAD = "load"


def label_fault(word: str) -> str:
    """Why a word cannot name a label, an actor, a load, a pool or a parameter; empty if it can."""
    if not LABEL.fullmatch(word):
        return "a name is a small letter, then up to 39 small letters, digits or _"
    if word in RESERVED or HELPER.fullmatch(word):
        return "the generated module uses this name itself; choose another"
    if word in PYTHON:
        return "this is a word of Python; choose another name"
    return ""


def test_fault(word: str) -> str:
    """Why a word cannot name a test; empty if it can."""
    if TEST.fullmatch(word):
        return ""
    return "a test's name is a small letter, then up to 79 small letters, digits or _"


def class_fault(word: str) -> str:
    """Why a word cannot name a class; empty if it can."""
    if not CLASS.fullmatch(word):
        return "a class's name is a capital letter, then up to 79 letters or digits"
    if word.endswith("Asyncio"):
        return "leave out 'Asyncio', the generator adds it"
    return "leave out 'Test', the generator adds it" if word.startswith("Test") else ""


def node_fault(word: str) -> str:
    """Why a word cannot be the pytest test of a file; empty if it can."""
    if NODE.fullmatch(word) and len(word) <= 200:
        return ""
    return "write its file below the project and its name: tests/test_ports.py::test_a_port_is_free"


def stem_fault(word: str) -> str:
    """Why a word cannot be a spec file's name without its ending; empty if it can."""
    if word == "index":
        return "index.md is the page of all classes; choose another name"
    if STEM.fullmatch(word):
        return ""
    return "a spec file's name is a small letter, then up to 59 small letters, digits or _"
