"""The tables of keys of a file of requirements: sections, and the requirements of each."""

from poolspec.spec.common import SHORT_TEXT, TEXT
from poolspec.spec.fields import Key, Kind, Place, Word
from poolspec.spec.kinds import fields_kind, list_kind, map_kind, name_kind
from poolspec.spec.names import NODE, REQUIREMENT, node_fault


def requirement_fault(word: str) -> str:
    """Why a word cannot be the key of a requirement; empty if it can."""
    return "" if REQUIREMENT.fullmatch(word) else "a key is a capital letter and 2 or 3 digits: A06"


def _section_fault(word: str) -> str:
    return "" if len(word) == 1 and "A" <= word <= "Z" else "a section is a capital letter"


COVERED = name_kind("a requirement's key", requirement_fault, REQUIREMENT.pattern)
SECTION_NAME: Kind[Word] = name_kind("a section", _section_fault, "[A-Z]")
SUBJECT = Key(
    "subject", SHORT_TEXT, "the class or behaviour it is about", "Limits · pool_size", True
)
REQUIRED_TEXT = Key(
    "text", TEXT, "the requirement, in a sentence", "without overflow the next acquire blocks", True
)
PROVEN_BY = Key(
    "proven_by",
    list_kind(
        "a list of pytest tests", name_kind("a pytest test", node_fault, NODE.pattern), low=1
    ),
    "hand-written tests that prove it, where no spec can",
    "[tests/test_ports.py::test_a_taken_port_is_named]",
    default="none",
)
REQUIREMENT_PLACE = Place("a requirement", (SUBJECT, REQUIRED_TEXT, PROVEN_BY))
TITLE = Key("title", SHORT_TEXT, "the subject of the section", "The pool's own contract", True)
KEYS = Key(
    "keys",
    map_kind("requirements by key", COVERED, fields_kind(REQUIREMENT_PLACE)),
    "the requirements",
    "{A06: {subject: Limits, text: The next acquire blocks}}",
    True,
)
SECTION = Place("a section", (TITLE, KEYS))
REQUIREMENTS = Key(
    "requirements",
    map_kind("sections by letter", SECTION_NAME, fields_kind(SECTION)),
    "sections of requirements",
    "{A: {title: Contract, keys: {A06: {subject: Limits, text: It blocks}}}}",
    True,
)
