"""A project's specs as frozen values: tests, the classes they make up, requirements.

`load` makes these from YAML: every name has passed an allow-list, every label is defined before it
is used, every duration is in seconds. Rendering and report turn them into text. The steps of a
test are those of `poolspec.steps`.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from poolspec.expectations.registry import Expectations
from poolspec.spec.values import OwnPool, PoolOptions, Step, Value, walk
from poolspec.steps.expect import Expect
from poolspec.vocabulary import (
    Capability,
    Concurrency,
    Connections,
    Layer,
    Level,
    ServerSetting,
    TimeKind,
)


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
    """Including those that follow from its words; in the order of the enum."""
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
    servers: int = 1
    """The number of its private servers."""
    server_settings: tuple[tuple[ServerSetting, int], ...] = ()
    """Settings of the private server, by name, with the values that it understands."""
    needs_pool: bool = True
    """Whether the test has its own pool, besides pools that its steps make."""

    @property
    def binds_pool(self) -> bool:
        """Whether any statement of the test names its own pool."""
        return any(step.own_pool() is OwnPool.NAMED for step in walk(self.steps))

    @property
    def measures(self) -> bool:
        """Whether the test expects figures of monitoring."""
        asked = [step.expectations for step in walk(self.steps) if isinstance(step, Expect)]
        return any(wanted.asks_for_metrics for wanted in (*asked, self.expect))


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
        """The modes that any test has a form for; there is a module for each."""
        return tuple(concurrency for concurrency in Concurrency if self.tests_for(concurrency))

    def module(self, concurrency: Concurrency) -> str:
        """The file name of the module for a concurrency."""
        ending = "_asyncio" if concurrency is Concurrency.ASYNCIO else ""
        return f"test_{self.stem}{ending}.py"

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
    proven_by: tuple[str, ...] = ()
    """Hand-written tests that prove it: `tests/test_ports.py::test_a_port_is_free`."""


@dataclass(frozen=True, slots=True)
class Suite:
    """All specs of a project."""

    classes: tuple[SpecClass, ...]
    requirements: tuple[Requirement, ...]
