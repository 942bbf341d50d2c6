"""The step `open` as fields → model.

A flawed configuration must be refused, and not every way to configure can have every flaw: a URL
cannot be a missing file, nor can a value have a name that is not there.
"""

from poolspec.errors import expected, shown
from poolspec.language import grammar_opening as g
from poolspec.language.borrowing import options_of
from poolspec.language.grammar_common import FAILS, SAYS, TOOK
from poolspec.model import Open, PoolOptions, Step
from poolspec.spec.fields import Fields
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.vocabulary import Flaw, Given, Target

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


def build_open(scope: Scope, fields: Fields) -> Step | None:
    """A pool of the test's own making; its label is bound unless it must fail."""
    word = fields.get(g.OPEN)
    scope.names.opened += 1
    message = "a configuration leads to a server"
    scope.names.at_server.append((message, fields.at(g.OPEN)))
    _check_flaw(scope, fields)
    if fields.has(g.NAMES_KEY) and not fields.has(FAILS):
        message = "'names' speaks of an error, and none is expected"
        scope.reader.problem(fields.at(g.NAMES_KEY), message, "say how it fails: fails: …")
    if word is None:
        return None
    if not fields.has(FAILS):
        scope.bind(word, Naming.POOL)
    given = fields.get(g.OPENED_WITH)
    options = (*(options_of(given) if given else ()), *_invalid(scope, fields))
    scope.names.options.append((options, fields.at(g.OPENED_WITH)))
    return Open(
        fields.node.line,
        word.text,
        options,
        fields.get(g.TARGET) or Target.RIGHT,
        fields.get(g.GIVEN_AS) or Given.CONFIG,
        fields.get(g.FLAW),
        fields.get(FAILS),
        fields.get(TOOK),
        fields.get(SAYS) or (),
        fields.get(g.NAMES_KEY) or (),
    )


def _invalid(scope: Scope, fields: Fields) -> PoolOptions:
    """Options with values that nobody has judged; the pool is to refuse them."""
    if fields.has(g.INVALID_OPTIONS) and not fields.has(FAILS):
        message = "invalid options must be refused"
        scope.reader.problem(fields.at(g.INVALID_OPTIONS), message, "say so: fails: config")
    given = fields.get(g.OPENED_WITH)
    for word, value in fields.get(g.INVALID_OPTIONS) or ():
        if value is None or (given and word.text in given.nodes):
            why = "says nothing" if value is None else "is given twice"
            scope.reader.problem(word.node, f"{shown(word.text)} {why}", "leave it out")
    pairs = fields.get(g.INVALID_OPTIONS) or ()
    return tuple((word.text, value) for word, value in pairs if value is not None)


def _check_flaw(scope: Scope, fields: Fields) -> None:
    flaw = fields.get(g.FLAW)
    if flaw is None:
        return
    way = fields.get(g.GIVEN_AS) or Given.CONFIG
    if way not in _WAYS[flaw]:
        message = f"what is given as {way} cannot be {flaw}"
        scope.reader.problem(fields.at(g.FLAW), message, f"given_as: {expected(_WAYS[flaw])}")
    if not fields.has(FAILS):
        message = "a flawed configuration must be refused"
        scope.reader.problem(fields.at(g.FLAW), message, "say so: fails: config")
