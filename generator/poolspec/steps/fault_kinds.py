"""The registry of faults: a row for each kind, with its terms, its needs and its words.

The row of a fault of a call follows from the call and from the manner of its failure, as
`poolspec.vocabulary.CALL_FAULTS` lists them. So such a fault needs no row here.
"""

from poolspec.steps.fault_terms import FaultKind, Terms
from poolspec.vocabulary import (
    CALL_FAULTS,
    OF_CONNECTIONS,
    Call,
    Capability,
    Fault,
    Manner,
    ServerSetting,
)

_OTHERS = (
    FaultKind(
        Fault.CONNECTION_KILLED,
        "At the server, kill {on}",
        terms=Terms.VICTIM,
        needs=Capability.KILL,
    ),
    FaultKind(
        Fault.IDLE_KILLED,
        "At the server, kill every connection that is idle in the pool",
        needs=Capability.KILL,
    ),
    FaultKind(
        Fault.QUERY_KILLED,
        "At the server, end the statement that runs on {on}",
        terms=Terms.VICTIM,
        needs=Capability.KILL,
        of_server=True,
    ),
    FaultKind(
        Fault.CONNECTION_SILENCED,
        "Let the line of {on} swallow the bytes of both sides",
        terms=Terms.VICTIM,
        needs=Capability.LINE,
        of_server=True,
    ),
    FaultKind(
        Fault.IDLE_SILENCED,
        "Let the line of every connection that is idle in the pool swallow the bytes of both sides",
        needs=Capability.LINE,
        of_server=True,
    ),
    FaultKind(
        Fault.IDLE_TIMED_OUT,
        "Wait until the server's wait_timeout has ended every connection that is idle in the pool",
        needs=Capability.SERVER_CONTROL,
        of_server=True,
        setting=ServerSetting.WAIT_TIMEOUT,
    ),
    FaultKind(
        Fault.PASSWORD_CHANGED,
        "Change the password of the account: connections that are open stay open",
        "Give the account the right password again.",
        of_server=True,
    ),
    FaultKind(
        Fault.ACCOUNT_FULL,
        "Let the account accept at most {limit} connections of the pool",
        "Let the account accept any number of connections again.",
        terms=Terms.LIMIT,
        of_server=True,
    ),
    *(
        FaultKind(fault, sentence, healed, terms, Capability.SERVER_CONTROL, of_server=True)
        for fault, sentence, healed, terms in (
            (Fault.SERVER_KILLED, "Kill the {server}", "Start the server again.", Terms.SERVER),
            (
                Fault.SERVER_SHUT_DOWN,
                "Shut the {server} down in order: it ends its connections",
                "Start the server again.",
                Terms.SERVER,
            ),
            (
                Fault.SERVER_PAUSED,
                "Pause the {server}: it answers nothing",
                "Let the server continue.",
                Terms.SERVER,
            ),
            (
                Fault.SERVER_READ_ONLY,
                "Make the {server} read-only: it refuses to write",
                "Let the server write again.",
                Terms.SERVER,
            ),
            (
                Fault.SERVER_FULL,
                "Let the server accept at most {limit} connections of the pool",
                "Let the server accept any number of connections again.",
                Terms.LIMIT,
            ),
        )
    ),
    *(
        FaultKind(fault, sentence, healed, needs=Capability.TLS, of_server=True)
        for fault, sentence, healed in (
            (
                Fault.TLS_AUTHORITY_ROTATED,
                "Give the server a certificate of a new authority, and put the authority into the "
                "file",
                "",
            ),
            (
                Fault.TLS_AUTHORITY_BROKEN,
                "Replace the file of TLS authorities by one that holds none",
                "Put the right authority into the file.",
            ),
            (
                Fault.TLS_FILE_MISSING,
                "Remove the file of TLS authorities",
                "Put the right authority into the file.",
            ),
            (
                Fault.TLS_SERVER_UNTRUSTED,
                "Give the server a certificate of an authority that is not in the file",
                "Give the server a certificate of the authority in the file.",
            ),
            (
                Fault.TLS_CLIENT_ROTATED,
                "Let the server accept client certificates of a new authority only, and put one "
                "into the files",
                "",
            ),
            (
                Fault.TLS_CLIENT_UNTRUSTED,
                "Let the server refuse the client's certificate",
                "Let the server accept the client's certificate.",
            ),
            (
                Fault.TLS_CLIENT_BROKEN,
                "Replace the file of the client's certificate by one that holds none",
                "Put the right certificate into the file.",
            ),
            (
                Fault.TLS_KEY_BROKEN,
                "Replace the file of the client's key by one that holds none",
                "Put the right key into the file.",
            ),
            (
                Fault.TLS_KEY_FOREIGN,
                "Put the key of another certificate into the file of the client's key",
                "Put the right key into the file.",
            ),
            (
                Fault.TLS_KEY_ENCRYPTED,
                "Put a key that needs a password into the file of the client's key",
                "Put the right key into the file.",
            ),
        )
    ),
    FaultKind(
        Fault.NAME_MOVED,
        "Let the host names lead to {place}",
        "Let the host names lead to their own addresses again.",
        Terms.SERVER,
        needs=Capability.CONFIGURATION,
        of_server=True,
    ),
)
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


_ROWS = {
    **{kind.fault: kind for kind in _OTHERS},
    **{fault: _of_call(fault, call, manner) for fault, (call, manner) in CALL_FAULTS.items()},
}
FAULTS = {fault: _ROWS[fault] for fault in Fault}
"""All kinds of faults, in the order of the vocabulary."""
