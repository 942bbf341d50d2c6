"""The faults that a test causes between a pool and its server, and the calls that they affect."""

from enum import StrEnum


class Fault(StrEnum):
    """A fault that a test causes between the pool and its server."""

    CONNECTION_KILLED = "connection_killed"
    """The server ends one connection that is on loan."""
    IDLE_KILLED = "idle_killed"
    """The server ends every connection that is idle in the pool."""
    CONNECTION_SILENCED = "connection_silenced"
    """The line of one connection that is on loan swallows the bytes of both sides."""
    IDLE_SILENCED = "idle_silenced"
    """The same for every connection that is idle in the pool."""
    LATENCY = "latency"
    """Bytes on the line are late."""
    DOWN = "down"
    """The line closes its connections and refuses new ones."""
    BANDWIDTH = "bandwidth"
    """The line passes a certain number of bytes in each second."""
    SLOW_CLOSE = "slow_close"
    """The close of a connection arrives late."""
    TIMEOUT = "timeout"
    """The line drops all bytes, and may close the connections after some time."""
    RESET_PEER = "reset_peer"
    """The line resets its connections."""
    SLICER = "slicer"
    """The line passes bytes in small slices."""
    LIMIT_DATA = "limit_data"
    """The line closes a connection when a certain number of bytes has passed."""
    HALF_OPEN = "half_open"
    """The connections that are open swallow bytes; new ones work."""
    REFUSE = "refuse"
    """The line refuses new connections; those that are open work."""
    CONNECT_REFUSED = "connect_refused"
    """New connections are refused."""
    CONNECT_HANGS = "connect_hangs"
    """New connections are neither accepted nor refused."""
    CONNECT_SLOW = "connect_slow"
    """New connections take a certain time to open."""
    CONNECT_INTERRUPTED = "connect_interrupted"
    """An interrupt such as Ctrl-C is raised during a connect."""
    ROLLBACK_FAILS = "rollback_fails"
    """Rollbacks raise an error."""
    ROLLBACK_SLOW = "rollback_slow"
    """Rollbacks take a certain time."""
    ROLLBACK_HANGS = "rollback_hangs"
    """Rollbacks do not return."""
    COMMIT_FAILS = "commit_fails"
    """Commits raise an error."""
    PING_FAILS = "ping_fails"
    """Pings of connections raise an error."""
    PING_SLOW = "ping_slow"
    """Pings take a certain time."""
    PING_INTERRUPTED = "ping_interrupted"
    """An interrupt is raised during a ping."""
    RESET_FAILS = "reset_fails"
    """Resets of a session raise an error."""
    RESET_SLOW = "reset_slow"
    """Resets of a session take a certain time."""
    CLOSE_FAILS = "close_fails"
    """Closing a connection raises an error, and closes it nevertheless."""
    CLOSE_SLOW = "close_slow"
    """Closing a connection takes a certain time."""
    NAME_LOOKUP_FAILS = "name_lookup_fails"
    """Look-ups of a host name raise an error."""
    NAME_LOOKUP_SLOW = "name_lookup_slow"
    """Look-ups of a host name take a certain time."""
    NAME_LOOKUP_HANGS = "name_lookup_hangs"
    """Look-ups of a host name do not return."""
    TLS_AUTHORITY_ROTATED = "tls_authority_rotated"
    """The server gets a certificate of a new authority, and the file of authorities has it."""
    TLS_AUTHORITY_BROKEN = "tls_authority_broken"
    """The file of authorities holds none; healing puts the right one there."""
    TLS_FILE_MISSING = "tls_file_missing"
    """The file of authorities does not exist; healing puts the right one there."""
    TLS_SERVER_UNTRUSTED = "tls_server_untrusted"
    """The server has a certificate of another authority than the file; healing ends that."""
    TLS_CLIENT_ROTATED = "tls_client_rotated"
    """The server accepts client certificates of a new authority only, and the files have one."""
    TLS_CLIENT_UNTRUSTED = "tls_client_untrusted"
    """The server accepts no client certificate of this authority; healing ends that."""
    TLS_CLIENT_BROKEN = "tls_client_broken"
    """The file of the client's certificate holds none; healing puts the right one there."""
    TLS_KEY_BROKEN = "tls_key_broken"
    """The file of the client's key holds none; healing puts the right one there."""
    TLS_KEY_FOREIGN = "tls_key_foreign"
    """The file of the client's key has that of another certificate; healing ends that."""
    TLS_KEY_ENCRYPTED = "tls_key_encrypted"
    """The client's key needs a password; healing puts the right one into the file."""
    NAME_MOVED = "name_moved"
    """Host names lead to another address, at which no server listens; healing leads them back."""
    LISTENER_FAILS = "listener_fails"
    """Listeners of the pool raise an error at each event."""
    LISTENER_INTERRUPTED = "listener_interrupted"
    """An interrupt is raised while a listener handles an event."""
    LISTENER_SLOW = "listener_slow"
    """Listeners of the pool take a certain time at each event."""
    LOG_HANDLER_SLOW = "log_handler_slow"
    """A handler of the pool's log takes a certain time for each record."""
    QUERY_KILLED = "query_killed"
    """The server ends the statement that runs on one connection, and keeps the connection."""
    QUERY_SLOW = "query_slow"
    """Every statement takes longer at the server, by a certain time."""
    HANDSHAKE_SLOW = "handshake_slow"
    """The server accepts a client, and takes a certain time to greet it."""
    HANDSHAKE_HANGS = "handshake_hangs"
    """The server accepts a client, and does not greet it before the fault is healed."""
    IDLE_TIMED_OUT = "idle_timed_out"
    """The server's `wait_timeout` ends every connection that is idle in the pool."""
    PASSWORD_CHANGED = "password_changed"
    """The account has another password; healing gives it the right one."""
    SERVER_KILLED = "server_killed"
    """The server is killed; healing starts it again."""
    SERVER_SHUT_DOWN = "server_shut_down"
    """The server shuts down in order; healing starts it again."""
    SERVER_PAUSED = "server_paused"
    """The server stops answering; healing lets it continue."""
    SERVER_READ_ONLY = "server_read_only"
    """The server refuses to write, as after a failover; healing lets it write again."""
    SERVER_FULL = "server_full"
    """The server as a whole accepts a certain number of connections; healing ends the limit."""
    ACCOUNT_FULL = "account_full"
    """The account accepts a certain number of connections; healing ends the limit."""


class Direction(StrEnum):
    """A direction of a line, or both."""

    UPSTREAM = "upstream"
    """From the pool to the server."""
    DOWNSTREAM = "downstream"
    """From the server to the pool."""
    BOTH = "both"


class Call(StrEnum):
    """The calls that a pool makes: of a driver, of its connections and of its listeners."""

    CONNECT = "connect"
    EXECUTE = "execute"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    PING = "ping"
    """A round trip that checks the connection."""
    RESET = "reset"
    """Resets the state of the session."""
    CLOSE = "close"
    NAME_LOOKUP = "name_lookup"
    """Looks up the addresses of a host name."""
    LISTENER = "listener"
    """Receives an event."""
    LOG_HANDLER = "log_handler"
    """Writes a record of the pool's log."""


class Manner(StrEnum):
    """How a call fails."""

    FAILS = "fails"
    INTERRUPTED = "interrupted"
    SLOW = "slow"
    HANGS = "hangs"


CALL_FAULTS = {
    Fault.CONNECT_REFUSED: (Call.CONNECT, Manner.FAILS),
    Fault.CONNECT_HANGS: (Call.CONNECT, Manner.HANGS),
    Fault.CONNECT_SLOW: (Call.CONNECT, Manner.SLOW),
    Fault.CONNECT_INTERRUPTED: (Call.CONNECT, Manner.INTERRUPTED),
    Fault.ROLLBACK_FAILS: (Call.ROLLBACK, Manner.FAILS),
    Fault.ROLLBACK_SLOW: (Call.ROLLBACK, Manner.SLOW),
    Fault.ROLLBACK_HANGS: (Call.ROLLBACK, Manner.HANGS),
    Fault.COMMIT_FAILS: (Call.COMMIT, Manner.FAILS),
    Fault.PING_FAILS: (Call.PING, Manner.FAILS),
    Fault.PING_SLOW: (Call.PING, Manner.SLOW),
    Fault.PING_INTERRUPTED: (Call.PING, Manner.INTERRUPTED),
    Fault.RESET_FAILS: (Call.RESET, Manner.FAILS),
    Fault.RESET_SLOW: (Call.RESET, Manner.SLOW),
    Fault.CLOSE_FAILS: (Call.CLOSE, Manner.FAILS),
    Fault.CLOSE_SLOW: (Call.CLOSE, Manner.SLOW),
    Fault.NAME_LOOKUP_FAILS: (Call.NAME_LOOKUP, Manner.FAILS),
    Fault.NAME_LOOKUP_SLOW: (Call.NAME_LOOKUP, Manner.SLOW),
    Fault.NAME_LOOKUP_HANGS: (Call.NAME_LOOKUP, Manner.HANGS),
    Fault.LISTENER_FAILS: (Call.LISTENER, Manner.FAILS),
    Fault.LISTENER_INTERRUPTED: (Call.LISTENER, Manner.INTERRUPTED),
    Fault.LISTENER_SLOW: (Call.LISTENER, Manner.SLOW),
    Fault.LOG_HANDLER_SLOW: (Call.LOG_HANDLER, Manner.SLOW),
}
"""The faults of calls."""
_ELSEWHERE = {Call.CONNECT, Call.NAME_LOOKUP, Call.LISTENER, Call.LOG_HANDLER}
SILENCES = frozenset({Fault.CONNECTION_SILENCED, Fault.IDLE_SILENCED, Fault.HALF_OPEN})
"""The faults by which connections swallow bytes, for ever."""


def usual_direction(fault: Fault) -> Direction:
    """Return the direction that a fault of the line has if the test names none."""
    return Direction.BOTH if fault in SILENCES else Direction.DOWNSTREAM


OF_CONNECTIONS = frozenset(Call) - _ELSEWHERE
"""The calls of a connection; only scripted connections can make them fail on demand."""
