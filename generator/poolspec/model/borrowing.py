"""Steps about single connections: borrowed, used, given back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from poolspec.model.values import Check, Ref, Scalar, Value
from poolspec.vocabulary import BodyFailure, ErrorKind

if TYPE_CHECKING:
    from poolspec.model.steps import Step


@dataclass(frozen=True, slots=True)
class Acquire:
    """Borrow one connection for each label, one after the other."""

    line: int
    labels: tuple[str, ...]
    pool: str | None = None
    """Label of a `global_pool` or `open` step, or None for the test's own pool."""
    timeout: Value | None = None
    fails: ErrorKind | None = None
    """The acquire must fail so; its label is then not bound. Only with a single label."""
    took: Check | None = None
    says: tuple[str, ...] = ()
    """Parts of what the error must say."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection of the test's own, that no pool knows."""

    line: int
    label: str


@dataclass(frozen=True, slots=True)
class Release:
    """Give connections back."""

    line: int
    labels: tuple[str, ...]
    """Empty for `release: nothing`, which gives None to the pool."""
    pool: str | None = None
    fails: ErrorKind | None = None
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class With:
    """Borrow a connection for the length of a block, with the pool as context manager."""

    line: int
    label: str
    body: tuple["Step", ...] = ()
    raises: BodyFailure | None = None
    """What the body raises at its end; the test expects it to come out of the block."""
    fails: ErrorKind | None = None
    """The borrowing must fail so; the label is then not bound, and there is no body."""
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transaction:
    """Borrow a connection for the length of a transaction: committed, or undone by an exception."""

    line: int
    label: str
    body: tuple["Step", ...] = ()
    raises: BodyFailure | None = None
    """What the body raises at its end; the test expects it to come out of the block."""
    fails: ErrorKind | None = None
    """The borrowing must fail so; the label is then not bound, and there is no body."""
    says: tuple[str, ...] = ()
    ends_with: ErrorKind | None = None
    """The commit at the end of the block must fail so."""


@dataclass(frozen=True, slots=True)
class Query:
    """Run one SQL statement on a connection that the actor holds."""

    line: int
    sql: str
    on: str
    params: tuple[Scalar, ...] = ()
    returns: Scalar | Ref = None
    """The single value that must come back, where `expects_value` is set."""
    expects_value: bool = False
    rows: tuple[tuple[Scalar, ...], ...] | None = None
    fails: ErrorKind | None = None
    says: tuple[str, ...] = ()
    took: Check | None = None
    unread: bool = False
    """Its rows are left where they are, for the server to send to whoever reads next."""
    changes_one: bool = False
    """It must change exactly one row; else it fails with a conflict."""
