"""The words of the field, as enums.

Both sides speak them: the build side (specs, generator) writes them into test modules, the run side
(lab, adapters, servers) acts on them. The value of a member is the word that a spec file uses.
This package imports nothing of the project, and is cheap to import; this list is its public part.
"""

from poolspec.vocabulary.capabilities import Capability
from poolspec.vocabulary.configuration import Detail, Flaw, Given, Target
from poolspec.vocabulary.defects import Defect
from poolspec.vocabulary.failures import BodyFailure, Caller, ErrorKind, Interruption
from poolspec.vocabulary.faults import (
    CALL_FAULTS,
    OF_CONNECTIONS,
    SILENCES,
    Call,
    Direction,
    Fault,
    Manner,
    usual_direction,
)
from poolspec.vocabulary.observations import (
    CheckOp,
    EventKind,
    HealthWord,
    MetricName,
    StatName,
    TimingName,
)
from poolspec.vocabulary.options import Hook, Listening, Order, Reset
from poolspec.vocabulary.setting import (
    Concurrency,
    Connections,
    Layer,
    Level,
    Real,
    ServerNumber,
    ServerSetting,
    TimeKind,
    layers,
)
from poolspec.vocabulary.work import (
    ActorState,
    Arrivals,
    BlockFrame,
    BlockKind,
    LoopEnd,
    Method,
    Operation,
    Runner,
    Until,
    Via,
)

__all__ = [
    "CALL_FAULTS",
    "OF_CONNECTIONS",
    "SILENCES",
    "ActorState",
    "Arrivals",
    "BlockFrame",
    "BlockKind",
    "BodyFailure",
    "Call",
    "Caller",
    "Capability",
    "CheckOp",
    "Concurrency",
    "Connections",
    "Defect",
    "Detail",
    "Direction",
    "ErrorKind",
    "EventKind",
    "Fault",
    "Flaw",
    "Given",
    "HealthWord",
    "Hook",
    "Interruption",
    "Layer",
    "Level",
    "Listening",
    "LoopEnd",
    "Manner",
    "Method",
    "MetricName",
    "Operation",
    "Order",
    "Real",
    "Reset",
    "Runner",
    "ServerNumber",
    "ServerSetting",
    "StatName",
    "Target",
    "TimeKind",
    "TimingName",
    "Until",
    "Via",
    "layers",
    "usual_direction",
]
