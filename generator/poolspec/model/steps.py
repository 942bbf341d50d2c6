"""All that a test can do, one sentence each."""

from poolspec.model.actors import Advance, Cancel, Fork, InterruptEverywhere, Join, Start, WaitUntil
from poolspec.model.borrowing import Acquire, Connect, Query, Release, Transaction, With
from poolspec.model.expectations import Expect
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
from poolspec.model.world import Heal, Inject, Load, Request, Stop, Use

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
