"""What a spec file means, as frozen values.

`load` makes these from YAML and vouches for them: every name has passed an allow-list, every
label is defined before it is used, every duration is in seconds. `render` and `coverage` turn them
into text. Nothing here reads, writes or checks. This list is the package's public part.

Three ideas carry the whole model:

* a **value** is a number, or a `Ref` to a parameter of the test's matrix;
* a **check** compares a measured value with one or two values;
* a **step** is one sentence of a test. Every step knows the line it was written on.
"""

from poolspec.model.actors import (
    Actor,
    Advance,
    Cancel,
    Fork,
    InterruptEverywhere,
    Join,
    Start,
    WaitUntil,
)
from poolspec.model.borrowing import Acquire, Connect, Query, Release, Transaction, With
from poolspec.model.expectations import (
    EventsExpectation,
    Expect,
    Expectations,
    LoadExpectation,
    LoanExpectation,
)
from poolspec.model.pools import (
    Close,
    CloseAll,
    GlobalPool,
    Maintain,
    Open,
    Resize,
    Resume,
    Suspend,
)
from poolspec.model.steps import Step
from poolspec.model.suite import Matrix, Requirement, SpecClass, SpecTest, Suite, Table
from poolspec.model.values import Check, Checks, PoolOptions, Ref, Scalar, Value
from poolspec.model.world import Heal, Inject, Load, Request, Stop, Use

__all__ = [
    "Acquire",
    "Actor",
    "Advance",
    "Cancel",
    "Check",
    "Checks",
    "Close",
    "CloseAll",
    "Connect",
    "EventsExpectation",
    "Expect",
    "Expectations",
    "Fork",
    "GlobalPool",
    "Heal",
    "Inject",
    "InterruptEverywhere",
    "Join",
    "Load",
    "LoadExpectation",
    "LoanExpectation",
    "Maintain",
    "Matrix",
    "Open",
    "PoolOptions",
    "Query",
    "Ref",
    "Release",
    "Request",
    "Requirement",
    "Resize",
    "Resume",
    "Scalar",
    "SpecClass",
    "SpecTest",
    "Start",
    "Step",
    "Stop",
    "Suite",
    "Suspend",
    "Table",
    "Transaction",
    "Use",
    "Value",
    "WaitUntil",
    "With",
]
