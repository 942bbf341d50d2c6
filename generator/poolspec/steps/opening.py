"""The step `open`: make a pool that connects by a configuration.

A flawed configuration must be refused, and not every way to configure can have every flaw: a URL
cannot be a missing file, and a value cannot have the name of an unknown option.
"""

from dataclasses import dataclass

from poolspec.errors import expected, shown
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, guarded
from poolspec.spec.common import FAILS, NAME, SAYS, TOOK
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import enum_kind, fields_kind, list_kind
from poolspec.spec.scope import Scope
from poolspec.spec.values import Check, PoolOptions
from poolspec.steps.demands import guard, must
from poolspec.steps.kind import NOT_REPEATED, StepKind, Trait
from poolspec.steps.options import (
    HOUSEKEEPING,
    OPEN_OPTIONS,
    UNJUDGED,
    options_of,
    write_options,
)
from poolspec.steps.other_pools import PoolMaker
from poolspec.vocabulary import (
    Capability,
    Detail,
    ErrorKind,
    Flaw,
    Given,
    Target,
)
from poolspec.vocabulary.rules import TARGETS


@dataclass(frozen=True, slots=True)
class Open(PoolMaker):
    """Make a pool that connects by a configuration, as in production."""

    target: Target = Target.RIGHT
    given: Given = Given.CONFIG
    flaw: Flaw | None = None
    """The fault of the configuration."""
    fails: ErrorKind | None = None
    took: Check | None = None
    says: tuple[str, ...] = ()
    names: tuple[Detail, ...] = ()
    """Parts of the configuration that the error must name."""


OPEN = Key("open", NAME, "open a pool from a configuration", "second", True)
OPENED_WITH = Key(
    "options", fields_kind(OPEN_OPTIONS), "its options", "{size: 2}", default="no options"
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
    "the database that the configuration names",
    "wrong_password",
    default="right",
)
GIVEN_AS = Key(
    "given_as",
    enum_kind("a way to configure", Given),
    "how the pool is configured",
    "url",
    default="config",
)
FLAW = Key(
    "flaw",
    enum_kind("a flaw", Flaw),
    "the flaw of the configuration",
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

_FILES = (Given.FILE, Given.ENVIRONMENT)
_TEXTS = (Given.URL, *_FILES)
_WAYS = {
    Flaw.MALFORMED: _TEXTS,
    Flaw.MISSING: _FILES,
    Flaw.EMPTY: (Given.URL, Given.FILE),
    Flaw.UNREADABLE: _FILES,
    Flaw.GARBLED: _FILES,
    Flaw.FOREIGN: _TEXTS,
    Flaw.UNNAMED: _FILES,
    Flaw.MISSPELT: _TEXTS,
    Flaw.UNKNOWN: _TEXTS,
    Flaw.BAD_VALUE: tuple(Given),
    Flaw.UNENCODED: (Given.URL,),
    Flaw.UNQUOTED: _FILES,
    Flaw.MISSHAPEN: _FILES,
    Flaw.NO_AUTHORITY: tuple(Given),
}
"""Which ways to configure can have which flaw."""


def _read_open(scope: Scope, fields: Fields) -> Open | None:
    """A pool of the test's own making; its label is bound unless it must fail."""
    word = fields.get(OPEN)
    scope.names.makers.append(OPEN.name)
    message = "a configuration names a server"
    scope.names.at_server.append((message, fields.at(OPEN)))
    _check_flaw(scope, fields)
    if fields.has(NAMES_KEY) and not fields.has(FAILS):
        message = "'names' checks an error, and none is expected"
        scope.reader.problem(fields.at(NAMES_KEY), message, "say how it fails: fails: …")
    if word is None:
        return None
    if not fields.has(FAILS):
        scope.bind_pool(word)
    target = fields.get(TARGET) or Target.RIGHT
    scope.names.imply(TARGETS.get(target), f"'target: {target}'", fields.at(OPEN))
    if target is Target.BOTH_SERVERS:
        scope.names.of_two.append((f"'target: {target}'", fields.at(TARGET)))
    given = fields.get(OPENED_WITH)
    if given and given.has(HOUSEKEEPING):
        scope.names.real_time.append(("a housekeeper", fields.at(OPENED_WITH)))
    options = (*(options_of(given)), *_invalid(scope, fields))
    scope.names.options.append((options, fields.at(OPENED_WITH)))
    return Open(
        fields.node.line,
        word.text,
        options,
        target,
        fields.get(GIVEN_AS) or Given.CONFIG,
        fields.get(FLAW),
        fields.get(FAILS),
        fields.get(TOOK),
        fields.get(SAYS) or (),
        fields.get(NAMES_KEY) or (),
    )


def _invalid(scope: Scope, fields: Fields) -> PoolOptions:
    """Return options with unchecked values, which the pool must refuse."""
    if fields.has(INVALID_OPTIONS) and not fields.has(FAILS):
        message = "invalid options must be refused"
        scope.reader.problem(fields.at(INVALID_OPTIONS), message, "say so: fails: config")
    given = fields.get(OPENED_WITH)
    for word, value in fields.get(INVALID_OPTIONS) or ():
        if value is None or (given and word.text in given.nodes):
            why = "says nothing" if value is None else "is given twice"
            scope.reader.problem(word.node, f"{shown(word.text)} {why}", "leave it out")
    pairs = fields.get(INVALID_OPTIONS) or ()
    return tuple((word.text, value) for word, value in pairs if value is not None)


def _check_flaw(scope: Scope, fields: Fields) -> None:
    flaw = fields.get(FLAW)
    if flaw is None:
        return
    way = fields.get(GIVEN_AS) or Given.CONFIG
    if way not in _WAYS[flaw]:
        message = f"a configuration given as {way} cannot be {flaw}"
        scope.reader.problem(fields.at(FLAW), message, f"given_as: {expected(_WAYS[flaw])}")
    if not fields.has(FAILS):
        message = "a flawed configuration must be refused"
        scope.reader.problem(fields.at(FLAW), message, "say so: fails: config")


def _write_open(step: Open, body: Body) -> Lines:
    target = "" if step.fails else body.bind(step.label)
    call = f"{target}{body.awaits}lab.open({_open_arguments(step, body)})"
    naming = ""
    if step.fails and step.names:
        naming = f", naming=lab.details({body.members((step.target, *step.names))})"
    return guarded(guard(step, body, step.took, naming), call)


def _open_arguments(step: Open, body: Body) -> str:
    parts = [] if step.target is Target.RIGHT else [body.member(step.target)]
    if step.given is not Given.CONFIG:
        parts.append(f"given={body.member(step.given)}")
    if step.flaw is not None:
        parts.append(f"flaw={body.member(step.flaw)}")
    if step.options:
        parts.append(write_options(step.options))
    return ", ".join(parts)


_GIVEN = {
    Given.CONFIG: "by options",
    Given.URL: "by a URL",
    Given.FILE: "by a file",
    Given.ENVIRONMENT: "by the environment",
}
_TARGETS = {
    Target.RIGHT: "{}",
    Target.NO_DATABASE: "{} to no database",
    Target.WRONG_PASSWORD: "{} with a wrong password",
    Target.UNKNOWN_DATABASE: "{} to use a database that is not there",
    Target.UNKNOWN_HOST: "{} to connect to a host that has no address",
    Target.REFUSED: "{} to connect to a port that is closed",
    Target.SILENT: "{} to connect to a port that accepts connections and never answers",
    Target.NAMED: "{} with a host name",
    Target.BOTH_SERVERS: "{} with a host name of two addresses, those of the test's servers",
    Target.SECOND_ADDRESS: "{} with a host name of two addresses, the first of which is silent",
    Target.THIRD_ADDRESS: (
        "{} with a host name of three addresses, the first of which is closed and the second drops "
        "every packet"
    ),
    Target.CLOSED_ADDRESSES: "{} with a host name of two addresses, both of which are closed",
    Target.DYING_ADDRESS: (
        "{} with a host name of two addresses, at the first of which a server greets and hangs up"
    ),
    Target.TLS: "{} with TLS and a file of authorities",
    Target.TLS_CLIENT: "{} with TLS, a file of authorities, and a client certificate",
    Target.ACCOUNT_LOCKED: "{} with an account that is locked",
    Target.PASSWORD_EXPIRED: "{} with an account whose password has expired",
    Target.PLUGIN_MISSING: "{} with an account whose plugin the server has not loaded",
}
"""`{}` stands for the way of the configuration."""


def _say_open(step: Open) -> Sentence:
    flaw = f" with the flaw {code(step.flaw.value)}" if step.flaw else ""
    led = _TARGETS[step.target].format(_GIVEN[step.given] + flaw)
    made = f"Open the pool {code(step.label)}{amounts.options(step.options)}, configured {led}"
    named = " and ".join(word.value for word in step.names)
    return Sentence(made + must(step, step.took, named))


KINDS = (
    StepKind(
        "open",
        (OPEN, OPENED_WITH, INVALID_OPTIONS, TARGET, GIVEN_AS, FLAW, FAILS, TOOK, SAYS, NAMES_KEY),
        Open,
        _read_open,
        _write_open,
        _say_open,
        needs=Capability.CONFIGURATION,
        misplaced=NOT_REPEATED,
        traits=Trait.BORROWS | Trait.TAKES_TIME | Trait.BREAKS_CONNECTS,
        calls=("open", "details"),
        arguments=("given", "flaw", "naming"),
        enums=(Detail, Flaw, Given, Target),
    ),
)
