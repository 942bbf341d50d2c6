"""Specs and parts of specs made by hand, for tests of what YAML means and of what is made of it."""

from pathlib import PurePosixPath

from poolspec.expectations.labels import EventsExpectation
from poolspec.expectations.outcomes import LoadExpectation
from poolspec.expectations.registry import Expectations
from poolspec.model import Matrix, Requirement, SpecClass, SpecTest, Suite, Table
from poolspec.report.index import INDEX, render_index
from poolspec.report.pages import page_name, render_page
from poolspec.report.results import Results
from poolspec.spec.values import Check, Ref, Step
from poolspec.steps.actors import Actor, Cancel, Join, Start
from poolspec.steps.blocks import Transaction, With
from poolspec.steps.borrow import Acquire, Connect, Release
from poolspec.steps.expect import Expect
from poolspec.steps.faults import Heal, Inject
from poolspec.steps.forks import Fork
from poolspec.steps.load import Load
from poolspec.steps.opening import Open
from poolspec.steps.other_pools import GlobalPool
from poolspec.steps.pool import Close, CloseAll, Maintain, Resize, Resume, Suspend
from poolspec.steps.query import Query
from poolspec.steps.rounds.interruption import InterruptEverywhere
from poolspec.steps.waiting import Advance, Use, WaitUntil
from poolspec.vocabulary import (
    ActorState,
    BodyFailure,
    Capability,
    CheckOp,
    Concurrency,
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
    Target,
    TimeKind,
    Via,
)

DIGEST = "0123456789abcdef" * 4


def equal(value: int | float | Ref) -> Check:
    return Check(CheckOp.EQUAL, value)


def a_test(
    name: str = "pool_size_limit",
    *,
    line: int = 9,
    steps: tuple[Step, ...] = (),
    expect: Expectations | None = None,
    purpose: str = "Pool respects its maximum size",
    validates: str = "The next acquire blocks until it times out",
    covers: tuple[str, ...] = ("A06",),
    layer: Layer = Layer.INTEGRATION,
    level: Level = Level.MUST,
    needs: tuple[Capability, ...] = (),
    time: TimeKind = TimeKind.VIRTUAL,
    deadline: float = 20.0,
    matrix: Matrix | None = None,
    concurrency: tuple[Concurrency, ...] = (Concurrency.THREADS,),
    tables: tuple[Table, ...] = (),
    connections: Connections = Connections.DRIVER,
    needs_pool: bool = True,
) -> SpecTest:
    return SpecTest(
        name=name,
        line=line,
        purpose=purpose,
        validates=validates,
        covers=covers,
        layer=layer,
        level=level,
        needs=needs,
        time=time,
        deadline=deadline,
        pool=(("size", 2), ("max_overflow", 0), ("timeout", 1.0)),
        matrix=matrix,
        steps=steps,
        expect=expect or Expectations(),
        concurrency=concurrency,
        tables=tables,
        connections=connections,
        needs_pool=needs_pool,
    )


def a_class(
    *tests: SpecTest,
    stem: str = "limits",
    name: str = "ConnectionPoolLimits",
    purpose: str = "The pool never opens more connections than it was allowed",
    description: str = "",
    sha256: str = DIGEST,
) -> SpecClass:
    return SpecClass(
        path=PurePosixPath(f"specs/{stem}.yaml"),
        sha256=sha256,
        name=name,
        purpose=purpose,
        description=description,
        tests=tests or (limit_test(),),
    )


def a_suite(*classes: SpecClass) -> Suite:
    return Suite(
        classes=classes or (a_class(),),
        requirements=(
            Requirement("A06", "A. The contract", "ConnectionPoolLimits", "the next blocks"),
            Requirement("A07", "A. The contract", "ConnectionPoolLimits", "grows past size"),
            Requirement("B02", "B. Resilience", "exhaustion", "queues in order"),
        ),
    )


def pages(suite: Suite, results: Results | None = None) -> dict[PurePosixPath, str]:
    """Return the coverage pages of a suite by their paths, the index first."""
    of_classes = {page_name(spec): render_page(spec, results) for spec in suite.classes}
    return {INDEX: render_index(suite, results), **of_classes}


def limit_test(
    name: str = "pool_size_limit", concurrency: tuple[Concurrency, ...] = (Concurrency.THREADS,)
) -> SpecTest:
    return a_test(
        name,
        concurrency=concurrency,
        steps=(
            Acquire(15, ("a", "b")),
            Acquire(16, ("c",), fails=ErrorKind.TIMEOUT, took=Check(CheckOp.APPROX, 1.0, rel=0.05)),
            Release(17, ("a", "b")),
        ),
        expect=Expectations(
            stats=(("acquired", equal(2)), ("timeouts", equal(1))), lines={"stats": 20}
        ),
    )


def every_step(concurrency: tuple[Concurrency, ...] = (Concurrency.THREADS,)) -> SpecTest:
    """One test with every kind of step, argument and expectation.

    Some of them are for one concurrency only: no spec can say all this, but a renderer can.
    """
    first = Actor("first", (Acquire(31, ("x",)), Release(31, ("x",))), line=31)
    callers = Actor(
        "callers", (With(32, "y", (Query(33, "SELECT 1", "y"),)),), count=50, repeat=20, line=32
    )
    idle = Actor("idle", (), line=34)
    return a_test(
        "every_step",
        concurrency=concurrency,
        level=Level.SHOULD,
        tables=(Table("orders", "CREATE TABLE `orders` (`id` INT)"),),
        needs=(Capability.FAIR_QUEUE, Capability.EVENTS),
        time=TimeKind.REAL,
        deadline=60.0,
        matrix=Matrix(("size", "wait", "strict"), ((1, 0.5, True), (2, 1, False))),
        steps=(
            Acquire(10, ("a", "b"), timeout=Ref("wait")),
            Acquire(11, ("c",), took=Check(CheckOp.BETWEEN, 0.0, 1.5)),
            Connect(12, "stranger"),
            Release(13, ("stranger",), fails=ErrorKind.NOT_BORROWED),
            Release(14, ()),
            Acquire(75, ("d",), fails=ErrorKind.EXHAUSTED, says=("waiting=1", "size")),
            With(76, "refused", fails=ErrorKind.CLOSED),
            Transaction(77, "none", fails=ErrorKind.TIMEOUT, says=("late",)),
            With(15, "conn", (Query(16, "SELECT 1", "conn", returns=1, expects_value=True),)),
            With(17, "unused"),
            With(18, "broken", (Query(18, "SELECT 2", "broken"),), BodyFailure.ERROR),
            With(19, "other", (), BodyFailure.INTERRUPT),
            Query(20, "SELECT %s, %s", "a", (1, "x"), rows=((1, "a"), (None, "b"))),
            Query(21, "SELEC", "a", fails=ErrorKind.QUERY),
            CloseAll(22),
            GlobalPool(23, "shared", (("size", 3), ("config_name", "primary"))),
            GlobalPool(24, "wrong", (("size", 4),), fails=ErrorKind.CONFIG),
            Open(
                79,
                "second",
                (("size", 2), ("query_timeout", 20.0)),
                Target.SILENT,
                Given.URL,
                took=Check(CheckOp.AT_MOST, 1.5),
            ),
            Open(
                80,
                "flawed",
                given=Given.FILE,
                flaw=Flaw.MISSPELT,
                fails=ErrorKind.CONFIG,
                says=("did you mean",),
                names=(Detail.ADDRESS, Detail.USER),
            ),
            Acquire(25, ("g",), pool="shared"),
            Release(26, ("g",), pool="shared"),
            Start(30, (first, callers, idle)),
            WaitUntil(35, ActorState.WAITING, actor="first"),
            WaitUntil(36, ActorState.HOLDING, count=Ref("size")),
            Join(37, ("first", "callers", "idle")),
            Advance(38, 3600.0),
            Load(
                39,
                "traffic",
                20,
                total=100,
                mix=((Operation.READ, 70), (Operation.WRITE, 30)),
                hold=(0.1, 0.3),
                timeout=2.0,
                via=Via.WITH,
                runner=Runner.EXECUTOR,
            ),
            Load(40, "more", 20, each=5),
            Load(41, "counted", 20, counts=((Operation.READ, 60), (Operation.WRITE, 40))),
            Expect(42, Expectations(stats=(("acquired", equal(2)),))),
            Transaction(60, "trade", (Query(61, "SELECT 1", "trade"),)),
            Transaction(62, "undone", (), BodyFailure.ERROR),
            Transaction(62, "lost", (), ends_with=ErrorKind.LOST),
            Resize(63, Ref("size"), 0),
            Suspend(64),
            Resume(65),
            Maintain(66),
            Inject(67, Fault.CONNECTION_KILLED, on=("a",)),
            Inject(68, Fault.IDLE_KILLED),
            Inject(69, Fault.CONNECT_SLOW, seconds=Ref("wait"), times=3),
            Heal(70, Fault.CONNECT_SLOW),
            Cancel(71, "first"),
            Fork(79, (Acquire(80, ("inside",)), Release(81, ("inside",)))),
            Fork(82, ()),
            InterruptEverywhere(
                83,
                (Acquire(84, ("caught",)), Query(85, "SELECT 4", "caught")),
                before=(Acquire(86, ("early",)),),
                after=(Release(87, ("early",)),),
                by=Interruption.TIMEOUT,
                at_least=3,
                may_recover=True,
            ),
            Use(78, "warm_up"),
            Expect(72, Expectations(stats=(("in_use", equal(0)),)), 5.0),
            Expect(73, Expectations(server=(("connections", equal(0)),)), Ref("wait")),
            Close(74, 5.0, Check(CheckOp.AT_MOST, 5.0)),
            Close(43),
        ),
        expect=Expectations(
            stats=(
                ("acquired", equal(2)),
                ("total_connections", Check(CheckOp.AT_MOST, Ref("size"))),
                ("created", Check(CheckOp.NOT_EQUAL, 3)),
                ("closed", Check(CheckOp.MORE, 1)),
                ("released", Check(CheckOp.AT_LEAST, 1)),
            ),
            server=(("connections", equal(2)), ("peak", Check(CheckOp.AT_MOST, 2))),
            served=("first", "callers"),
            same=("a", "b"),
            different=("a", "c"),
            pools=equal(1),
            events=EventsExpectation((EventKind.CHECKED_OUT, EventKind.CHECKED_IN), True),
            loads=(
                LoadExpectation(
                    "traffic",
                    (("succeeded", equal(100)), ("lost_writes", equal(0))),
                    ((ErrorKind.TIMEOUT, equal(3)),),
                    (("mean", Check(CheckOp.LESS, 0.1)), ("p99.9", Check(CheckOp.LESS, 0.5))),
                ),
            ),
            health=HealthWord.DEGRADED,
            remaining_timeout=Check(CheckOp.APPROX, 10.0, rel=0.05),
            hooks=(("setup", equal(2)), ("on_acquire", Check(CheckOp.AT_LEAST, 2))),
            logs=(("recovery", equal(1)),),
            calls=(("rollback", equal(1)),),
            real=(Real.SOCKET, Real.DRIVER),
            lines={"stats": 44, "server": 45, "served": 46, "same": 47, "pools": 48, "events": 50},
        ),
    )
