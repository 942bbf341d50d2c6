"""Steps about a pool as a whole: made, changed, emptied, closed."""

from dataclasses import dataclass

from poolspec.model.values import Check, PoolOptions, Value
from poolspec.vocabulary import Detail, ErrorKind, Flaw, Given, Target


@dataclass(frozen=True, slots=True)
class CloseAll:
    """Empty the pool; it stays usable."""

    line: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close the pool for good."""

    line: int
    drain: Value | None = None
    """How long to wait for connections on loan to come back first, in seconds."""
    took: Check | None = None


@dataclass(frozen=True, slots=True)
class Resize:
    """Give the pool other limits; None leaves one as it is."""

    line: int
    size: Value | None = None
    max_overflow: Value | None = None


@dataclass(frozen=True, slots=True)
class Suspend:
    """Have the pool hand out nothing; who asks waits."""

    line: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Have a suspended pool hand out connections again."""

    line: int


@dataclass(frozen=True, slots=True)
class Maintain:
    """Have the pool do its housekeeping now."""

    line: int


@dataclass(frozen=True, slots=True)
class GlobalPool:
    """Ask for the process-wide pool."""

    line: int
    label: str
    options: PoolOptions = ()
    fails: ErrorKind | None = None
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """Make a pool that connects by a configuration, as it does in earnest."""

    line: int
    label: str
    """Of the pool; bound unless it must fail."""
    options: PoolOptions = ()
    target: Target = Target.RIGHT
    given: Given = Given.CONFIG
    flaw: Flaw | None = None
    """What is wrong with the configuration."""
    fails: ErrorKind | None = None
    took: Check | None = None
    says: tuple[str, ...] = ()
    names: tuple[Detail, ...] = ()
    """Parts of the configuration that the error must name."""
