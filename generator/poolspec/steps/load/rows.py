"""The rows of the steps `load` and `stop`: many clients work at once."""

from poolspec.spec.common import TIMEOUT
from poolspec.steps.kind import NOT_REPEATED, StepKind, Trait
from poolspec.steps.load.keys import (
    CLIENTS,
    EACH,
    HOLD_KEY,
    LOAD,
    MIX,
    OPERATIONS,
    REQUESTS,
    RUNNER,
    STOP,
    UNTIL,
    VIA,
)
from poolspec.steps.load.model import Load, Stop
from poolspec.steps.load.reading import read_load, read_stop
from poolspec.steps.load.writing import say_load, say_stop, write_load, write_stop
from poolspec.vocabulary import Capability, Operation, Runner, Via

KINDS = (
    StepKind(
        "load",
        (
            *(LOAD, CLIENTS, OPERATIONS, EACH, MIX, HOLD_KEY, TIMEOUT, VIA, RUNNER),
            *(UNTIL, REQUESTS),
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
            *("clients", "operations", "each", "mix", "hold", "timeout", "via", "runner"),
            "requests",
        ),
        enums=(Operation, Runner, Via),
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
