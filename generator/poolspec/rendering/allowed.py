"""All words that a generated test may use besides those of its spec.

They come from the registry of steps, which holds no data of a spec; `shape` compares every test
with them.
"""

from poolspec.python.literals import FUNCTIONS
from poolspec.python.names import FIXED_NAMES
from poolspec.steps.kind import KINDS
from poolspec.vocabulary import ServerSetting

_ROWS = tuple(KINDS.values())
_ENUMS = {enum.__name__: enum for row in _ROWS for enum in row.enums}
RUNTIME_NAMES = FIXED_NAMES.union(_ENUMS, *(row.imports for row in _ROWS), FUNCTIONS.values())
"""All that a generated module may import from `poolspec.lab`."""

_SHARED_CALLS = {
    *("pool", "web_app", "execute", "measure", "server_settings"),  # before the steps
    *("fails", "took"),  # around a step
}
ALLOWED = RUNTIME_NAMES.union(
    *(row.calls for row in _ROWS),
    (member.name for enum in _ENUMS.values() for member in enum),
    _SHARED_CALLS,
    ("lab", "pytest"),
)
"""Every name and attribute that may stand inside a test, besides its own labels."""

_SHARED_ARGUMENTS = {
    *("took", "saying"),  # around a step
    *("rel", "abs"),  # of a comparison
    *(name.value for name in ServerSetting),
    "return",  # the annotation of functions inside a test
}
KEYWORDS = frozenset(_SHARED_ARGUMENTS).union(*(row.arguments for row in _ROWS))
"""Names of arguments."""
