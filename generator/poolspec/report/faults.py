"""What a test breaks, and how it is healed, in plain words."""

from poolspec.model import Inject
from poolspec.report import amounts
from poolspec.report.markdown import code
from poolspec.vocabulary import Fault

HEALED = {
    Fault.CONNECT_REFUSED: "Accept new connections again.",
    Fault.CONNECT_HANGS: "Accept new connections again.",
    Fault.CONNECT_SLOW: "Accept new connections at once again.",
    Fault.SERVER_KILLED: "Start the server again.",
    Fault.SERVER_PAUSED: "Let the server go on.",
}
"""What a `Heal` does; what was killed stays so."""


def broken(step: Inject) -> str:
    """Return what a step breaks, without the end of its sentence."""
    whom = f"{amounts.value(step.times)} times" if step.times is not None else "until healed"
    match step.fault:
        case Fault.CONNECTION_KILLED:
            return f"At the server, kill {code(step.on or '')}"
        case Fault.IDLE_KILLED:
            return "At the server, kill every connection that is idle in the pool"
        case Fault.CONNECT_REFUSED:
            return f"Refuse new connections, {whom}"
        case Fault.CONNECT_HANGS:
            return f"Let new connections hang, {whom}"
        case Fault.CONNECT_SLOW:
            return f"Let each new connection take {amounts.seconds(step.seconds or 0.0)}, {whom}"
        case Fault.SERVER_KILLED:
            return "Kill the server"
        case Fault.SERVER_PAUSED:
            return "Pause the server: it answers nothing"
