"""The rows of the faults of the line between the pools and the server.

Names and meanings are those of Toxiproxy. A fault with a delay takes real time, and so does one
under which a statement waits for its time limit.
"""

from poolspec.steps.fault_kinds.kind import FaultKind, Terms
from poolspec.vocabulary import Capability, Fault


def _toxic(
    fault: Fault,
    sentence: str,
    healed: str = "",
    terms: Terms = Terms.NONE,
    *,
    real_time: bool = False,
) -> FaultKind:
    return FaultKind(
        fault, sentence, healed, terms, Capability.LINE, of_server=True, real_time=real_time
    )


_WAY = Terms.SOME | Terms.DIRECTION

NETWORK = (
    _toxic(
        Fault.CONNECTION_SILENCED,
        "Let the line of {on} swallow the bytes of both sides",
        terms=Terms.VICTIM,
    ),
    _toxic(
        Fault.IDLE_SILENCED,
        "Let the line of every connection that is idle in the pool swallow the bytes of both sides",
    ),
    _toxic(
        Fault.LATENCY,
        "Delay the bytes {way} by {delay}{jitter}, on {all}",
        "Let bytes pass without delay again.",
        _WAY | Terms.DELAY | Terms.JITTER,
        real_time=True,
    ),
    _toxic(
        Fault.DOWN,
        "Cut the network: close every connection over it, and refuse new ones",
        "Let the network work again.",
    ),
    _toxic(
        Fault.BANDWIDTH,
        "Let {rate} kB/s {way} pass, on {all}",
        "Let bytes pass at any rate again.",
        _WAY | Terms.RATE,
        real_time=True,
    ),
    _toxic(
        Fault.SLOW_CLOSE,
        "Let a close by {closer} arrive {delay} late, on {all}",
        "Let closes arrive at once again.",
        _WAY | Terms.DELAY,
        real_time=True,
    ),
    _toxic(
        Fault.TIMEOUT,
        "Drop all bytes {way} on {all}{closing}",
        "Close the connections that dropped bytes, and let bytes pass again.",
        _WAY | Terms.LATER,
        real_time=True,
    ),
    _toxic(
        Fault.RESET_PEER,
        "Reset {all}{after}",
        "Reset no connection any more.",
        Terms.SOME | Terms.LATER,
    ),
    _toxic(
        Fault.SLICER,
        "Send the bytes {way} in slices of {size} bytes{apart}, on {all}",
        "Send bytes in one piece again.",
        _WAY | Terms.PIECE | Terms.LATER,
    ),
    _toxic(
        Fault.LIMIT_DATA,
        "Close a connection when {bytes} bytes {way} have passed, on {all}",
        "Let any number of bytes pass again.",
        _WAY | Terms.BYTES,
    ),
    _toxic(
        Fault.HALF_OPEN,
        "Swallow the bytes {way} on {open}",
        terms=_WAY,
        real_time=True,
    ),
    _toxic(
        Fault.REFUSE,
        "Let the network refuse new connections",
        "Let the network accept new connections again.",
    ),
)
