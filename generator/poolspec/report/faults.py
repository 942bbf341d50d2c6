"""What a test breaks, and how it is healed, in plain words."""

from poolspec.model import Inject
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.vocabulary import CALL_FAULTS, Call, Fault, Manner

_OF_CALLS = {
    Call.CONNECT: "new connections",
    Call.COMMIT: "commits",
    Call.ROLLBACK: "rollbacks",
    Call.PING: "pings",
    Call.RESET: "resets of sessions",
    Call.CLOSE: "closing",
    Call.LISTENER: "listening",
}
HEALED = {
    Fault.CONNECT_REFUSED: "Accept new connections again.",
    Fault.CONNECT_HANGS: "Accept new connections again.",
    Fault.CONNECT_SLOW: "Accept new connections at once again.",
    Fault.SERVER_KILLED: "Start the server again.",
    Fault.SERVER_PAUSED: "Let the server go on.",
    **{
        fault: f"Let {_OF_CALLS[call]} go well again."
        for fault, (call, _) in CALL_FAULTS.items()
        if call is not Call.CONNECT or fault is Fault.CONNECT_INTERRUPTED
    },
}
"""What a `Heal` does; what was killed stays so."""


def broken(step: Inject) -> str:
    """Return what a step breaks, without the end of its sentence."""
    match step.fault:
        case Fault.CONNECTION_KILLED:
            return f"At the server, kill {code(step.on or '')}"
        case Fault.IDLE_KILLED:
            return "At the server, kill every connection that is idle in the pool"
        case Fault.SERVER_KILLED:
            return "Kill the server"
        case Fault.SERVER_PAUSED:
            return "Pause the server: it answers nothing"
    call, manner = CALL_FAULTS[step.fault]
    how = _call(_OF_CALLS[call], manner, step)
    whom = f"{amounts.value(step.times)} times" if step.times is not None else "until healed"
    spared = "" if step.after is None else f", after {amounts.value(step.after)} that go well"
    return f"{how}, {whom}{spared}"


def _call(calls: str, manner: Manner, step: Inject) -> str:
    if step.fault is Fault.CONNECT_REFUSED:
        return "Refuse new connections"
    if step.fault is Fault.CONNECT_SLOW:
        return f"Let each new connection take {amounts.seconds(step.seconds or 0.0)}"
    match manner:
        case Manner.FAILS:
            return f"Let {calls} fail"
        case Manner.INTERRUPTED:
            return f"Interrupt {calls}"
        case Manner.HANGS:
            return f"Let {calls} hang"
        case Manner.SLOW:
            return f"Let {calls} take {amounts.seconds(step.seconds or 0.0)}"
