"""The rows of the steps `load` and `stop`: many clients work at once."""

from poolspec.spec.common import FROM, TIMEOUT
from poolspec.steps.kind import NOT_REPEATED, StepKind, Trait
from poolspec.steps.load.keys import (
    ARRIVALS,
    CLIENTS,
    DURATION_KEY,
    EACH,
    HOLD_KEY,
    LOAD,
    MIX,
    OPERATIONS,
    RAMP,
    RATE_KEY,
    REQUESTS,
    RUNNER,
    SEED,
    STATEMENTS,
    STOP,
    THINK,
    UNTIL,
    VIA,
    WARM_UP,
)
from poolspec.steps.load.model import Load, Stop
from poolspec.steps.load.reading import read_load, read_stop
from poolspec.steps.load.writing import say_load, say_stop, write_load, write_stop
from poolspec.vocabulary import Arrivals, Capability, Operation, Runner, Via

KINDS = (
    StepKind(
        "load",
        (
            *(LOAD, FROM, CLIENTS, OPERATIONS, EACH, DURATION_KEY, UNTIL, REQUESTS),
            *(MIX, STATEMENTS, RATE_KEY, ARRIVALS, SEED, RAMP, WARM_UP, HOLD_KEY, THINK),
            *(TIMEOUT, VIA, RUNNER),
        ),
        Load,
        read_load,
        write_load,
        say_load,
        key_needs={REQUESTS.name: Capability.WEB_APP, TIMEOUT.name: Capability.CALL_TIMEOUT},
        misplaced=NOT_REPEATED,
        traits=Trait.BORROWS,
        calls=("load", "start_load"),
        arguments=(
            *("clients", "pool", "operations", "each", "duration", "requests", "mix"),
            *("statements", "rate", "arrivals", "seed", "ramp", "warm_up", "hold", "think"),
            *("timeout", "via", "runner"),
        ),
        enums=(Arrivals, Operation, Runner, Via),
    ),
    StepKind(
        "stop",
        (STOP,),
        Stop,
        read_stop,
        write_stop,
        say_stop,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        calls=("stop_load",),
    ),
)
