"""The rows of the faults of calls.

Such a row follows from the call and from the manner of its failure, as
`poolspec.vocabulary.CALL_FAULTS` lists them. So a new fault of a call needs no row.
"""

from poolspec.steps.fault_kinds.kind import FaultKind, Terms
from poolspec.vocabulary import CALL_FAULTS, OF_CONNECTIONS, Call, Capability, Fault, Manner

_NOUNS = {
    Call.CONNECT: "new connections",
    Call.EXECUTE: "statements",
    Call.COMMIT: "commits",
    Call.ROLLBACK: "rollbacks",
    Call.PING: "pings",
    Call.RESET: "resets of sessions",
    Call.CLOSE: "closes",
    Call.NAME_LOOKUP: "look-ups of host names",
    Call.LISTENER: "calls of the listener",
    Call.LOG_HANDLER: "calls of the log handler",
}
_MANNERS = {
    Manner.FAILS: "Let {} fail",
    Manner.INTERRUPTED: "Interrupt {}",
    Manner.HANGS: "Let {} hang",
    Manner.SLOW: "Let {} take {{seconds}}",
}
_CONNECT_SENTENCES = {
    Manner.FAILS: "Refuse new connections",
    Manner.SLOW: "Let each new connection take {seconds}",
}
_CONNECT_HEALED = {
    Manner.FAILS: "Accept new connections again.",
    Manner.HANGS: "Accept new connections again.",
    Manner.SLOW: "Accept new connections without delay again.",
}
_NEEDS = {
    Call.NAME_LOOKUP: Capability.CONFIGURATION,
    Call.LISTENER: Capability.EVENTS,
    Call.LOG_HANDLER: Capability.LOGS,
}


def _of_call(fault: Fault, call: Call, manner: Manner) -> FaultKind:
    """Return the row of a fault of a call."""
    sentence = _MANNERS[manner].format(_NOUNS[call])
    healed = f"Let {_NOUNS[call]} succeed again."
    if call is Call.CONNECT:
        sentence = _CONNECT_SENTENCES.get(manner, sentence)
        healed = _CONNECT_HEALED.get(manner, healed)
    terms = Terms.CALLS | Terms.DURATION if manner is Manner.SLOW else Terms.CALLS
    looks_up = call is Call.NAME_LOOKUP
    slow = manner is Manner.SLOW
    return FaultKind(
        fault,
        sentence,
        healed,
        terms,
        _NEEDS.get(call),
        of_server=looks_up,
        scripted=call in OF_CONNECTIONS,
        threads_only=slow and call in (Call.LISTENER, Call.LOG_HANDLER),
        real_time=slow and looks_up,
    )


CALLS = tuple(_of_call(fault, call, manner) for fault, (call, manner) in CALL_FAULTS.items())
