"""Steps about the pool itself as fields → model: changed, suspended, emptied, closed."""

from poolspec.language import grammar_pool as g
from poolspec.language.grammar_common import TOOK
from poolspec.model import Close, CloseAll, Maintain, Resize, Resume, Step, Suspend
from poolspec.spec.fields import Fields
from poolspec.spec.scope import Scope


def build_close_all(scope: Scope, fields: Fields) -> Step:
    """The pool is emptied, and goes on working."""
    return CloseAll(_own(scope, fields))


def build_close(scope: Scope, fields: Fields) -> Step:
    """The pool is closed for good, at once or after some patience."""
    given = fields.get(g.CLOSE)
    drain = given.get(g.DRAIN) if given else None
    return Close(_own(scope, fields), drain, fields.get(TOOK))


def build_resize(scope: Scope, fields: Fields) -> Step | None:
    """The pool gets other limits; at least one."""
    line = _own(scope, fields)
    given = fields.get(g.RESIZE)
    if given is None:
        return None
    if not given.nodes and given.sound:
        scope.reader.problem(given.node, "no new limit is given", "add: size: 3")
    return Resize(line, given.get(g.NEW_SIZE), given.get(g.NEW_OVERFLOW))


def build_suspend(scope: Scope, fields: Fields) -> Step:
    """The pool hands out nothing for a while."""
    return Suspend(_own(scope, fields))


def build_resume(scope: Scope, fields: Fields) -> Step:
    """A suspended pool hands out connections again."""
    return Resume(_own(scope, fields))


def build_maintain(scope: Scope, fields: Fields) -> Step:
    """The pool does its housekeeping now."""
    return Maintain(_own(scope, fields))


def _own(scope: Scope, fields: Fields) -> int:
    """Note that a step is about the test's own pool; says the step's line."""
    scope.names.own_pool.append(fields.node)
    return fields.node.line
