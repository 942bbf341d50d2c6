"""Steps about who does other steps, in which process, and when."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from poolspec.model.values import Value
from poolspec.vocabulary import ActorState, Interruption

if TYPE_CHECKING:
    from poolspec.model.steps import Step


@dataclass(frozen=True, slots=True)
class Actor:
    """A thread or task of the test, or `count` of them doing the same, `repeat` times each."""

    name: str
    steps: tuple["Step", ...]
    count: Value = 1
    repeat: Value = 1
    line: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """Start actors; all of one step leave the barrier at the same moment."""

    line: int
    actors: tuple[Actor, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Wait for actors to finish; what one of them raised is raised here."""

    line: int
    actors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel the tasks of an actor."""

    line: int
    actor: str


@dataclass(frozen=True, slots=True)
class Fork:
    """Do steps in a forked child process; what fails there fails the test."""

    line: int
    body: tuple["Step", ...]


@dataclass(frozen=True, slots=True)
class InterruptEverywhere:
    """Do steps again and again, cut short at another point each time, until they run through."""

    line: int
    body: tuple["Step", ...]
    before: tuple["Step", ...] = ()
    """Done before them each time, and not cut short."""
    after: tuple["Step", ...] = ()
    """Done after them each time, and not cut short."""
    by: Interruption = Interruption.INTERRUPT
    at_least: Value = 1
    """The fewest points that there must be."""
    may_recover: bool = False
    """The pool may make good for a timeout: the call that it strikes may succeed."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Wait until an actor (every one of its count), or so many actors, are in a state."""

    line: int
    state: ActorState
    actor: str | None = None
    count: Value | None = None
    """Exactly one of `actor` and `count` is set."""


@dataclass(frozen=True, slots=True)
class Advance:
    """Let time pass."""

    line: int
    seconds: Value
