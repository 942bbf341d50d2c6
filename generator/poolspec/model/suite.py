"""Tests, the classes that they make up, and the whole of a project."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from poolspec.model.expectations import Expectations
from poolspec.model.steps import Step
from poolspec.model.values import PoolOptions, Value
from poolspec.vocabulary import Capability, Concurrency, Connections, Layer, Level, TimeKind


@dataclass(frozen=True, slots=True)
class Matrix:
    """Parameters of a test, and one row of values for each case."""

    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the database, which a test has made before its pool."""

    name: str
    create: str
    """The statement that makes it."""


@dataclass(frozen=True, slots=True)
class SpecTest:
    """One behaviour."""

    name: str
    line: int
    purpose: str
    validates: str
    covers: tuple[str, ...]
    layer: Layer
    level: Level
    needs: tuple[Capability, ...]
    """What its words imply included; in the order of the enum."""
    time: TimeKind
    deadline: float
    """Seconds of real time after which the test is given up and all threads are shown."""
    pool: PoolOptions
    matrix: Matrix | None
    steps: tuple[Step, ...]
    expect: Expectations
    concurrency: tuple[Concurrency, ...] = tuple(Concurrency)
    """Of which pools the test has a form for, in the order of the enum; never empty."""
    tables: tuple[Table, ...] = ()
    """In the order in which they are made."""
    connections: Connections = Connections.DRIVER
    web_app: str | None = None
    """The web application that is served on the pool under test."""


@dataclass(frozen=True, slots=True)
class SpecClass:
    """One spec file."""

    path: PurePosixPath
    """As given to poolspec, relative to the specs folder's parent: `specs/limits.yaml`."""
    sha256: str
    """Of the file."""
    name: str
    """A Python class name without the `Test` prefix: ConnectionPoolLimits."""
    purpose: str
    description: str
    tests: tuple[SpecTest, ...]

    @property
    def stem(self) -> str:
        """The file's name without folder and ending; the first half of every test's identifier."""
        return self.path.stem

    @property
    def concurrency(self) -> tuple[Concurrency, ...]:
        """The modes that any test has a form for; the module has a class for each."""
        return tuple(concurrency for concurrency in Concurrency if self.tests_for(concurrency))

    def tests_for(self, concurrency: Concurrency) -> tuple[SpecTest, ...]:
        """The tests that have a form for a concurrency."""
        return tuple(test for test in self.tests if concurrency in test.concurrency)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A behaviour that the specs must cover."""

    key: str
    section: str
    subject: str
    """The class, or the short name of the behaviour, that the requirement is about."""
    text: str


@dataclass(frozen=True, slots=True)
class Suite:
    """All specs of a project."""

    classes: tuple[SpecClass, ...]
    requirements: tuple[Requirement, ...]
