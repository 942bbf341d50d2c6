"""The tables of keys of the four kinds of files, and of their contents.

spec: 1 + class: …         one test class
spec: 1 + profiles: …      named sets of pool options
spec: 1 + requirements: …  the behaviours that `covers` may name
spec: 1 + tables: …        database tables that tests may ask for
"""

from collections.abc import Sequence

from poolspec.checks.needs import NEEDS
from poolspec.errors import expected, nearest, shown
from poolspec.expectations.registry import EXPECT
from poolspec.loading.requirement_keys import COVERED, REQUIREMENTS
from poolspec.loading.server_keys import SERVER_SETTINGS, SERVERS
from poolspec.loading.table_keys import TABLES, TABLES_KEY
from poolspec.spec.common import TEXT
from poolspec.spec.conditions import MATRIX
from poolspec.spec.fields import Key, Kind, Place, Reader, Wrong
from poolspec.spec.kinds import (
    enum_kind,
    fields_kind,
    list_kind,
    literal_kind,
    map_kind,
    name_kind,
    resolved,
)
from poolspec.spec.names import CLASS, LABEL, TEST, class_fault, test_fault
from poolspec.spec.quantities import DEADLINE
from poolspec.spec.tree import Mapping, Node, Scalar
from poolspec.steps.kind import STEPS
from poolspec.steps.options import POOL, POOL_OPTIONS
from poolspec.vocabulary import Concurrency, Connections, Layer, Level, TimeKind

VERSION = 1


def _read_version(_: Reader, node: Node) -> int:
    value = resolved(node) if isinstance(node, Scalar) else None
    if not isinstance(value, int) or isinstance(value, bool) or value != VERSION:
        raise Wrong(node, "this version of the language is not known", f"write: spec: {VERSION}")
    return VERSION


def _name_fault(word: str) -> str:
    return (
        "" if LABEL.fullmatch(word) else "a name is a small letter, then small letters, digits or _"
    )


PROFILE_NAME = name_kind("a profile's name", _name_fault, LABEL.pattern)
CLASS_NAME = name_kind("a class's name", class_fault, rf"(?!Test)(?!.*Asyncio$){CLASS.pattern}")
TEST_NAME = name_kind("a test's name", test_fault, TEST.pattern)

SPEC = Key(
    "spec",
    Kind("1", _read_version, {"type": "integer", "const": VERSION}),
    "version of the language",
    "1",
    True,
)
PURPOSE = Key(
    "purpose", TEXT, "the purpose in one sentence", "Pool respects its maximum size", True
)
LAYER = Key(
    "layer",
    enum_kind("a layer", Layer),
    "how much of a real system takes part",
    "chaos",
    default="the class's, else integration",
)
LEVEL = Key(
    "level",
    enum_kind("a level", Level),
    "how binding the behaviour is",
    "should",
    default="the class's, else must",
)
TIME = Key(
    "time",
    enum_kind("a clock", TimeKind),
    "the clock the tests run on",
    "real",
    default="the class's, else virtual",
)
CONNECTIONS = Key(
    "connections",
    enum_kind("a kind of connections", Connections),
    "the kind of the pool's connections",
    "scripted",
    default="the class's, else driver",
)
CONCURRENCY = Key(
    "concurrency",
    list_kind("a list of concurrency modes", enum_kind("a concurrency mode", Concurrency), low=1),
    "concurrency modes to test; each gets a form of the test",
    "[threads]",
    default="the class's, else both",
)
WEB_APP = Key(
    "web_app",
    name_kind("a web application's name", _name_fault, LABEL.pattern),
    "the web application that is served, on a pool under test",
    "visits",
    default="the class's, else none",
)
PROFILE = Key(
    "profile",
    PROFILE_NAME,
    "named pool options to start from",
    "fast",
    default="the class's, else none",
)
POOL_KEY = Key(
    "pool",
    fields_kind(POOL),
    "options of the pool under test",
    "{size: 2}",
    default="those of profile and class",
)

# --- a test --------------------------------------------------------------------------------------

VALIDATES = Key(
    "validates", TEXT, "the behaviour that the test asserts", "The next acquire blocks", True
)
COVERS = Key(
    "covers",
    list_kind("a list of keys", COVERED),
    "requirements that the test proves",
    "[A06]",
    True,
)
DEADLINE_KEY = Key(
    "deadline",
    literal_kind(DEADLINE),
    "real time after which the test is aborted",
    "20s",
    default="20s",
)
MATRIX_KEY = Key(
    "matrix", MATRIX, "parameters, and the values each takes", "{n: [1, 5]}", default="none"
)
STEPS_KEY = Key("steps", STEPS, "its steps, in order", "[acquire: a]", default="none")
EXPECT_KEY = Key(
    "expect",
    fields_kind(EXPECT),
    "expectations at the end",
    "{stats: {created: 2}}",
    default="nothing",
)

TEST_PLACE = Place(
    "a test",
    (
        *(PURPOSE, VALIDATES, COVERS, LAYER, LEVEL, NEEDS, TIME, CONNECTIONS),
        *(CONCURRENCY, DEADLINE_KEY),
        *(PROFILE, POOL_KEY, SERVERS, SERVER_SETTINGS, TABLES_KEY, WEB_APP),
        *(MATRIX_KEY, STEPS_KEY, EXPECT_KEY),
    ),
)

# --- files ---------------------------------------------------------------------------------------

CLASS_KEY = Key("class", CLASS_NAME, "name of the test class", "ConnectionPoolLimits", True)
DESCRIPTION = Key(
    "description", TEXT, "further explanation", "Sizes, overflow and waiters", default="none"
)
_TESTS_EXAMPLE = (
    "{starts_full: {purpose: p, validates: v, covers: [], expect: {stats: {created: 2}}}}"
)
TESTS = Key(
    "tests",
    map_kind("tests by name", TEST_NAME, fields_kind(TEST_PLACE)),
    "the tests",
    _TESTS_EXAMPLE,
    True,
)
CLASS_FILE = Place(
    "a test class",
    (
        *(
            SPEC,
            CLASS_KEY,
            PURPOSE,
            DESCRIPTION,
            LAYER,
            LEVEL,
            NEEDS,
            TIME,
            CONNECTIONS,
            CONCURRENCY,
        ),
        *(PROFILE, POOL_KEY, SERVERS, SERVER_SETTINGS, TABLES_KEY, WEB_APP, TESTS),
    ),
)

PROFILE_LAYER = Key(
    "layer", LAYER.kind, "the one layer whose tests may use it", "chaos", default="any layer"
)
PROFILE_PLACE = Place("a profile", (PURPOSE, PROFILE_LAYER, *POOL_OPTIONS))
PROFILES = Key(
    "profiles",
    map_kind("profiles by name", PROFILE_NAME, fields_kind(PROFILE_PLACE)),
    "named sets of pool options",
    "{fast: {purpose: For quick tests, size: 2}}",
    True,
)
PROFILES_FILE = Place("a file of profiles", (SPEC, PROFILES))

REQUIREMENTS_FILE = Place("a file of requirements", (SPEC, REQUIREMENTS))

TABLES_FILE = Place("a file of tables", (SPEC, TABLES))

FILES = {
    "class": CLASS_FILE,
    "profiles": PROFILES_FILE,
    "requirements": REQUIREMENTS_FILE,
    "tables": TABLES_FILE,
}
"""By the key that decides the kind. A class may have a key `tables` too."""


def _without_kind(root: Node, heads: Sequence[Scalar]) -> Wrong:
    """Return the error of a file without a key that gives its kind."""
    misspelt = [head for head in heads if nearest(head.text, tuple(FILES))]
    if misspelt:
        return Wrong(
            misspelt[0],
            f"unknown key {shown(misspelt[0].text)}",
            expected(FILES, misspelt[0].text),
        )
    hint = f"{expected(FILES)}, next to 'spec'"
    return Wrong(heads[0] if heads else root, "the file has no key that decides its kind", hint)


def place_of(root: Node) -> Place:
    """Return the place of a whole file, by the key that decides its kind. Raises `Wrong`."""
    if not isinstance(root, Mapping):
        raise Wrong(root, "a spec file is a mapping", "a spec starts with: spec: 1")
    keys = {head.text: head for head, _ in root.pairs}
    deciding = [head for name, head in keys.items() if name in FILES]
    if "class" in keys:  # a class may name tables, too
        deciding = [head for head in deciding if head.text != "tables"]
    if "spec" not in keys:
        raise Wrong(root, "the version of the language is missing", f"add: spec: {VERSION}")
    if not deciding:
        raise _without_kind(root, [head for head in keys.values() if head.text != "spec"])
    if len(deciding) > 1:
        message = f"{deciding[0].text!r} and {deciding[1].text!r} in one file"
        raise Wrong(deciding[1], message, "write two files")
    return FILES[deciding[0].text]
