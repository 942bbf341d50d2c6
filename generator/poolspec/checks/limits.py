"""Expectations of the pool's size, compared with the pool's limit, where that is known.

It is known where the test says both `size` and `max_overflow` of the one pool that it has, and
changes neither; in a matrix, for each row separately.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from poolspec.checks.outline import Outline
from poolspec.expectations.figures import SERVER, SERVER_KEY, STATS_KEY
from poolspec.model import Matrix
from poolspec.spec.fields import Fields
from poolspec.spec.formulas import known
from poolspec.spec.quantities import extent, operands
from poolspec.spec.scope import Names
from poolspec.spec.tree import Node
from poolspec.spec.values import Check, PoolOptions, Value
from poolspec.steps.kind import Trait
from poolspec.steps.waiting import WAIT_UNTIL
from poolspec.vocabulary import ActorState, CheckOp, StatName

_GAUGES = frozenset(
    (StatName.IN_USE, StatName.POOL_SIZE, StatName.TOTAL_CONNECTIONS, StatName.MAX_SIZE)
)


@dataclass(frozen=True, slots=True)
class _Limit:
    """The limit of a pool, with the parameters of one row."""

    size: int
    more: int
    row: Mapping[str, Value]

    @property
    def most(self) -> int:
        return self.size + self.more

    def allows(self, name: str, check: Check) -> bool:
        """Whether a figure of a pool with this limit can fit its check."""
        values = [value for one in operands(check) if (value := self.known(one)) is not None]
        if len(values) < len(operands(check)):
            return True
        known = replace(check, value=values[0], upper=values[1] if len(values) > 1 else None)
        return _meet(known, self.most if name == StatName.MAX_SIZE else 0, self.most)

    def known(self, value: Value | None) -> Value | None:
        """The value that a parameter or a formula has; None if it has none."""
        return known(value, self.row)


def check_limits(outline: Outline, names: Names, matrix: Matrix | None) -> None:
    """Report figures that the test's pool can never have, each once."""
    if names.makers or Trait.CHANGES_LIMITS in outline.traits or len(names.options) != 1:
        return
    ((options, _),) = names.options
    reported: set[int] = set()
    for limit in _limits(options, matrix):
        for name, node in _beyond(outline, limit):
            if id(node) not in reported:
                reported.add(id(node))
                message = f"{name} is out of reach: the pool has a limit of {limit.most}"
                made_of = f"its size is {limit.size} and its max_overflow {limit.more}"
                outline.reader.problem(node, message, f"{made_of}; expect less, or give it more")


def _limits(options: PoolOptions, matrix: Matrix | None) -> Iterator[_Limit]:
    """The limits that a pool has, one for each row; none where one is not known or is unlimited."""
    given = dict(options)
    rows = [dict(zip(matrix.names, row, strict=True)) for row in matrix.rows] if matrix else [{}]
    for row in rows:
        size, more = (_number(given.get(name), row) for name in ("size", "max_overflow"))
        if size is not None and more is not None and more >= 0:
            yield _Limit(size, more, row)


def _number(value: Value | str | None, row: Mapping[str, Value]) -> int | None:
    found = None if isinstance(value, str) else known(value, row)
    return found if isinstance(found, int) else None


def _beyond(outline: Outline, limit: _Limit) -> Iterator[tuple[str, Node]]:
    """Yield figures that a limit rules out, each with its place."""
    for wanted in outline.expectations:
        yield from _figures(wanted.get(STATS_KEY), limit, _GAUGES)
        if "fork" not in outline.verbs:  # the server counts the child's connections, too
            yield from _figures(wanted.get(SERVER_KEY), limit, frozenset(SERVER.names))
    for step in outline.of("wait_until"):
        condition = step.get(WAIT_UNTIL)
        if condition and condition.state is ActorState.HOLDING:
            count = limit.known(condition.count)
            if isinstance(count, int) and count > limit.most:
                yield f"{count} actors holding", step.nodes[WAIT_UNTIL.name]


def _figures(
    given: Fields | None, limit: _Limit, names: frozenset[str]
) -> Iterator[tuple[str, Node]]:
    if given is None:
        return
    for name, check in given.values.items():
        if name in names and isinstance(check, Check) and not limit.allows(name, check):
            yield repr(name), given.nodes[name]


def _meet(check: Check, low: int, high: int) -> bool:
    """Whether a comparison holds for some number from `low` to `high`."""
    start, end = extent(check)
    if check.op is CheckOp.NOT_EQUAL:
        return not low == high == start
    if check.op is CheckOp.LESS:
        return low < end
    if check.op is CheckOp.MORE:
        return high > start
    return start <= high and low <= end
