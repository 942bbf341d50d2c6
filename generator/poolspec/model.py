"""What a spec file means, as frozen values.

`load` makes these from YAML and vouches for them: every name has passed an allow-list, every
label is defined before it is used, every duration is in seconds. `render` and `coverage` turn them
into text. Nothing here reads, writes or checks.

Three ideas carry the whole model:

* a **value** is a number, or a `Ref` to a parameter of the test's matrix;
* a **check** compares a measured value with one or two values;
* a **step** is one sentence of a test. Every step knows the line it was written on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from poolspec.vocabulary import (
    ActorState,
    BodyFailure,
    Capability,
    CheckOp,
    Connections,
    Detail,
    ErrorKind,
    EventKind,
    Fault,
    Flaw,
    Given,
    HealthWord,
    Interruption,
    Layer,
    Level,
    Operation,
    Real,
    Runner,
    Shell,
    Target,
    TimeKind,
    Via,
)

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Ref:
    """A parameter of the test's matrix, written `$name`."""

    name: str


Value = int | float | bool | Ref
"""A number (durations are float seconds), a truth value, or a matrix parameter."""


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison: `2`, `"<= 20"`, `"0.95..1"`, `"1s ± 5%"`."""

    op: CheckOp
    value: Value
    upper: Value | None = None
    """The upper bound of BETWEEN (inclusive on both sides)."""
    rel: float | None = None
    """The relative tolerance of APPROX: 0.05 for ± 5%."""
    abs: float | None = None
    """The absolute tolerance of APPROX, in the value's unit."""


PoolOptions = tuple[tuple[str, Value | str], ...]
"""Options of a pool, by name; of the pool under test in a fixed order, wherever they came from."""

Checks = tuple[tuple[str, Check], ...]
"""Named comparisons, in the order in which the spec gives them."""


# --- steps ---------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class Inject:
    """Break something between the pool and its server."""

    line: int
    fault: Fault
    on: str | None = None
    """The connection that is ended, for CONNECTION_KILLED."""
    seconds: Value | None = None
    """How long a call takes, for CONNECT_SLOW and the like."""
    times: Value | None = None
    """How many calls it is for; None: all, until it is healed."""


@dataclass(frozen=True, slots=True)
class Heal:
    """Undo what an `Inject` broke."""

    line: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Use:
    """Take a step that the user has written in Python and registered by this name."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """Send a request to the web application, and look at its answer."""

    line: int
    request: str
    """Method and path: `GET /visits`."""
    status: Check
    took: Check | None = None
    headers: tuple[tuple[str, str], ...] = ()
    json: tuple[tuple[str, Scalar], ...] = ()
    """Values of the JSON object that the answer is."""


@dataclass(frozen=True, slots=True)
class Load:
    """Many clients, each borrowing, using and giving back, until all operations are done."""

    line: int
    label: str
    clients: Value
    total: Value | None = None
    """Operations shared out among the clients, of the kinds of `mix`."""
    each: Value | None = None
    """Operations of every client, of the kinds of `mix`."""
    counts: tuple[tuple[Operation, int], ...] = ()
    """Operations by kind, shared out among the clients."""
    mix: tuple[tuple[Operation, int], ...] = ((Operation.READ, 1),)
    """Shares of the kinds, for total and each."""
    hold: tuple[Value, Value] | None = None
    """The shortest and the longest time a connection is kept, in seconds."""
    timeout: Value | None = None
    via: Via = Via.ACQUIRE
    runner: Runner = Runner.THREADS
    requests: tuple[tuple[str, Value], ...] = ()
    """Requests to the web application, each so often, shared out among the clients.

    One of total, each, counts and requests is given, or it goes on until it is stopped.
    """
    until_stopped: bool = False
    """It goes on beside the steps that follow, until a `Stop`; none of total, each, counts then."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End a load that goes on until it is stopped; every client finishes its operation."""

    line: int
    label: str


# --- expectations --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadExpectation:
    """What must have come of generated load."""

    label: str
    checks: Checks = ()
    """Of: operations, succeeded, failed, lost_writes, success_rate, throughput (operations/s)."""
    errors: tuple[tuple[ErrorKind, Check], ...] = ()
    latency: Checks = ()
    """Of: mean, max, p50, p90, p95, p99, p99.9; seconds from asking for to giving back."""
    line: int = 0
    only_errors: tuple[ErrorKind, ...] = ()
    """The kinds of errors that there may be; empty: any."""


@dataclass(frozen=True, slots=True)
class EventsExpectation:
    """What the event log must hold, in this order: just this, or this among other things."""

    kinds: tuple[EventKind, ...]
    exactly: bool
    line: int = 0


@dataclass(frozen=True, slots=True)
class LoanExpectation:
    """What the pool must know of one loan; None says nothing."""

    by: str | None = None
    """The actor that borrowed, or `main`."""
    seconds: Check | None = None
    """For how long it has been on loan."""
    where: bool | None = None
    """Whether the pool can tell the place in the test."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """What must hold, at a step or at the end of a test. Empty parts say nothing."""

    stats: Checks = ()
    """By StatName."""
    server: Checks = ()
    """Of: connections (open now, by the server's count), peak (most sockets open at once)."""
    served: tuple[str, ...] = ()
    """Actors, in the order in which they were given connections they had queued for."""
    same: tuple[str, ...] = ()
    """Labels of one connection, or of one pool."""
    different: tuple[str, ...] = ()
    """Labels of connections no two of which are the same."""
    pools: Check | None = None
    """How many different pools all `global_pool` steps and actors were given."""
    events: EventsExpectation | None = None
    loads: tuple[LoadExpectation, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    """The line of each part given, loads excepted: stats, server, served, …"""
    health: HealthWord | None = None
    """How the pool says it is."""
    patience: Check | None = None
    """How long somebody who waits for the database will still wait, in seconds."""
    hooks: Checks = ()
    """Of: setup, on_acquire. How often the pool called them."""
    logs: Checks = ()
    """Of: failure, retry, recovery, leak … How many records of each sort the pool logged."""
    loans: tuple[LoanExpectation, ...] | None = None
    """What is on loan, the longest loan first, and no more than that."""
    metrics: Checks = ()
    """By MetricName, and by TimingName with a part: `wait_time.count`, `.sum`, `.min`, `.max`."""
    real: tuple[Real, ...] | None = None
    """Just what is real in the test."""
    calls: Checks = ()
    """By Call. How often the pool asked its driver and scripted connections for something."""


@dataclass(frozen=True, slots=True)
class Expect:
    """Check expectations in the middle of a test."""

    line: int
    expectations: Expectations
    within: Value | None = None
    """Seconds in which they must come true; None: they are true now."""


Step = (
    Acquire
    | Connect
    | Release
    | With
    | Transaction
    | Query
    | CloseAll
    | Close
    | Resize
    | Suspend
    | Resume
    | Maintain
    | GlobalPool
    | Open
    | Start
    | Join
    | Cancel
    | Fork
    | InterruptEverywhere
    | WaitUntil
    | Advance
    | Inject
    | Heal
    | Use
    | Request
    | Load
    | Stop
    | Expect
)


# --- tests, classes, the whole -------------------------------------------------------------------


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
    shells: tuple[Shell, ...] = tuple(Shell)
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
    """Of everything the generated module depends on: this file, and the profiles it uses."""
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
    def shells(self) -> tuple[Shell, ...]:
        """The shells that any test has a form for; the module has a class for each."""
        return tuple(shell for shell in Shell if self.tests_for(shell))

    def tests_for(self, shell: Shell) -> tuple[SpecTest, ...]:
        """The tests that have a form for a shell."""
        return tuple(test for test in self.tests if shell in test.shells)


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
