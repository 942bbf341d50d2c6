"""The table of keys of the step `open`."""

from poolspec.language.grammar_common import FAILS, SAYS, TOOK
from poolspec.language.grammar_pool import OPEN_OPTIONS, UNJUDGED
from poolspec.spec.common import NAME
from poolspec.spec.fields import Key, Place
from poolspec.spec.kinds import enum_kind, fields_kind, list_kind
from poolspec.vocabulary import Detail, Flaw, Given, Target

OPEN = Key("open", NAME, "make a pool that connects by a configuration", "second", True)
OPENED_WITH = Key(
    "options", fields_kind(OPEN_OPTIONS), "its options", "{size: 2}", default="no options at all"
)
INVALID_OPTIONS = Key(
    "invalid_options",
    UNJUDGED,
    "options with invalid values, which the pool must refuse",
    "{timeout: -1}",
    default="none",
)
TARGET = Key(
    "target",
    enum_kind("a target", Target),
    "where the configuration leads",
    "wrong_password",
    default="right",
)
GIVEN_AS = Key(
    "given_as",
    enum_kind("a way to configure", Given),
    "how the pool is told where its database is",
    "url",
    default="config",
)
FLAW = Key(
    "flaw",
    enum_kind("a flaw", Flaw),
    "what is wrong with the configuration",
    "misspelt",
    default="nothing",
)
NAMES_KEY = Key(
    "names",
    list_kind("a list of details", enum_kind("a detail", Detail), low=1),
    "parts of the configuration that the error must name",
    "[address, user]",
    default="anything",
)

OPEN_STEP = Place(
    "the step open",
    (OPEN, OPENED_WITH, INVALID_OPTIONS, TARGET, GIVEN_AS, FLAW, FAILS, TOOK, SAYS, NAMES_KEY),
)
