"""The row of an expectation: everything about one kind of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from poolspec.python.body import Body
from poolspec.spec.fields import Fields, Key
from poolspec.spec.scope import Scope
from poolspec.spec.values import Check, Checks
from poolspec.vocabulary import Capability

V = TypeVar("V")


def plain(_: Scope, fields: Fields, key: Key[Any]) -> Any:
    """Return the value of a key as its kind has read it."""
    return fields.get(key)


@dataclass(frozen=True, slots=True)
class ExpectationKind(Generic[V]):
    """One kind of expectation. Its name is that of its key, and of a field of `Expectations`."""

    key: Key[Any]
    write: Callable[[Body, V], str]
    """Returns the arguments of its call."""
    say: Callable[[V], str]
    """Returns its words in the report."""
    read: Callable[[Scope, Fields, Key[Any]], V | None] = plain
    """Makes the value from the fields; reports problems to the scope's reader."""
    needs: Capability | None = None
    awaits: bool = False
    """Its call may wait."""
    arguments: tuple[str, ...] = ()
    """Names of arguments, or of keys of dictionaries, that its call uses."""
    enums: tuple[type[StrEnum], ...] = ()
    """Enums whose members its call names."""
    of_pool: bool = False
    """It is about one pool, so it may name one."""
    of_all: bool = False
    """Without a name it is about all pools of the test together."""

    @property
    def name(self) -> str:
        """The name of its key."""
        return self.key.name

    @property
    def call(self) -> str:
        """The method of the lab that checks it."""
        return f"expect_{self.name}"


NOT_GIVEN: Final[Checks] = ()


def read_checks(scope: Scope, fields: Fields, key: Key[Fields]) -> Checks:
    """Return the comparisons of a mapping, by name."""
    given = fields.get(key)
    if given is None:
        return NOT_GIVEN
    refuse_empty(scope, given)
    return tuple((name, check) for name, check in given.values.items() if isinstance(check, Check))


def refuse_empty(scope: Scope, fields: Fields) -> None:
    """Report a mapping without keys."""
    if not fields.nodes and fields.sound:
        scope.reader.problem(fields.node, f"{fields.place.name}: nothing is expected", "fill it")
