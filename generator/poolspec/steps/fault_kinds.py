"""The registry of faults: a row for each kind, with its terms, its needs and its words.

The row of a fault of a call follows from the call and from the manner of its failure, as
`poolspec.vocabulary.CALL_FAULTS` lists them. So such a fault needs no row here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Flag, auto

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.spec.values import Value
from poolspec.vocabulary import (
    CALL_FAULTS,
    OF_CONNECTIONS,
    Call,
    Capability,
    Fault,
    Manner,
    ServerSetting,
)


class Terms(Flag):
    """The keys that describe a fault, besides its kind."""

    NONE = 0
    VICTIM = auto()
    """Which connection it is about: must be said."""
    DURATION = auto()
    """How long a call takes: must be said."""
    CALLS = auto()
    """How many calls it is for, and how many succeed first: may be said."""
    LIMIT = auto()
    """How many connections the server accepts: must be said."""
    TIME = auto()
    """How long it lasts: may be said. Every fault that can be healed has it."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A row: everything about one kind of fault."""

    fault: Fault
    sentence: str
    """Its sentence, without the end; `{on}`, `{seconds}` and `{limit}` are values of the step."""
    healed: str = ""
    """The sentence of its healing; empty for a fault that is permanent."""
    terms: Terms = Terms.NONE
    needs: Capability | None = None
    of_server: bool = False
    """It needs a server, which scripted connections do not have."""
    scripted: bool = False
    """It needs scripted connections."""
    threads_only: bool = False
    """It blocks the caller, and so would block an event loop with all tasks in it."""
    real_time: bool = False
    """It takes real time, whichever clock the test has."""
    setting: ServerSetting | None = None
    """The server's setting without which it never ends."""

    def __post_init__(self) -> None:
        if self.healed:
            object.__setattr__(self, "terms", self.terms | Terms.TIME)

    def say(self, on: str | None, given: Mapping[str, Value]) -> str:
        """Return the sentence of a step, without its end; `given` are its terms by argument."""
        said = self.sentence.format(
            on=code(on or ""),
            seconds=amounts.seconds(given.get("seconds", 0.0)),
            limit=amounts.value(given.get("limit", 0)),
        )
        return "".join((said, *self._ends(given)))

    def _ends(self, given: Mapping[str, Value]) -> Iterator[str]:
        """Yield when the fault ends, and how many calls it spares."""
        if "times" in given:
            yield f", {amounts.value(given['times'])} times"
        elif Terms.CALLS in self.terms and "lasts" not in given:
            yield ", until healed"
        if "after" in given:
            yield f", after {amounts.value(given['after'])} that succeed"
        if "lasts" in given:
            yield f", for {amounts.seconds(given['lasts'])}"


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
            (Fault.SERVER_KILLED, "Kill the server", "Start the server again.", Terms.NONE),
            (
                Fault.SERVER_SHUT_DOWN,
                "Shut the server down in order: it ends its connections",
                "Start the server again.",
                Terms.NONE,
            ),
            (
                Fault.SERVER_PAUSED,
                "Pause the server: it answers nothing",
                "Let the server continue.",
                Terms.NONE,
            ),
            (
                Fault.SERVER_READ_ONLY,
                "Make the server read-only: it refuses to write",
                "Let the server write again.",
                Terms.NONE,
            ),
            (
                Fault.SERVER_FULL,
                "Let the server accept at most {limit} connections of the pool",
                "Let the server accept any number of connections again.",
                Terms.LIMIT,
            ),
        )
    ),
    FaultKind(
        Fault.TLS_AUTHORITY_ROTATED,
        "Give the server a certificate of a new authority, and put the authority into the file",
        needs=Capability.TLS,
        of_server=True,
    ),
    FaultKind(
        Fault.TLS_AUTHORITY_BROKEN,
        "Replace the file of TLS authorities by one that holds none",
        "Put the right authority into the file.",
        needs=Capability.TLS,
        of_server=True,
    ),
    *(
        FaultKind(fault, sentence, healed, needs=Capability.TLS, of_server=True)
        for fault, sentence, healed in (
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
        "Let the host names lead to an address at which no server listens",
        "Let the host names lead to their own addresses again.",
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
