"""The rows of the faults of the server, of single connections at the server, and of targets."""

from poolspec.steps.fault_kinds.kind import FaultKind, Terms
from poolspec.vocabulary import Capability, Fault, ServerSetting

SERVER = (
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
    *(
        FaultKind(
            fault, sentence, healed, terms, Capability.PROTOCOL, of_server=True, real_time=True
        )
        for fault, sentence, healed, terms in (
            (
                Fault.QUERY_SLOW,
                "Let every statement take {seconds} longer at the server",
                "Let statements take no longer than they need.",
                Terms.DURATION,
            ),
            (
                Fault.HANDSHAKE_SLOW,
                "Let the server accept each client and greet it after {seconds}",
                "Let the server greet clients at once again.",
                Terms.DURATION,
            ),
            (
                Fault.HANDSHAKE_HANGS,
                "Let the server accept clients and not greet them",
                "Let the server greet clients again.",
                Terms.NONE,
            ),
        )
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
