"""Sets each fault of the registry on a lab. As a script it sets all that go together.

python -m tests.leftovers.every_fault SERVER LAST...     then it waits to be killed
"""

import signal
import sys
from contextlib import suppress

from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.faults.front import OF_FRONT, ServerFront
from poolspec.faults.network import OF_NETWORK, Line
from poolspec.faults.terms import FaultTerms
from poolspec.faults.tls import TLS_FAULTS
from poolspec.lab import actor
from poolspec.lab.threads.held import Held
from poolspec.plugin.forms import ThreadsRun
from poolspec.servers import Server, start_server
from poolspec.vocabulary import (
    CALL_FAULTS,
    OF_CONNECTIONS,
    Connections,
    Fault,
    Manner,
    Target,
    TimeKind,
)

OF_SERVER = (
    Fault.SERVER_READ_ONLY,
    Fault.SERVER_FULL,
    Fault.PASSWORD_CHANGED,
    Fault.ACCOUNT_FULL,
    Fault.SERVER_PAUSED,
    Fault.SERVER_KILLED,
    Fault.SERVER_SHUT_DOWN,
)
"""The faults of the whole server, or of its accounts, which a private server alone has."""
ON_ONE = (Fault.CONNECTION_KILLED, Fault.CONNECTION_SILENCED, Fault.QUERY_KILLED)
TERMS: dict[Fault, FaultTerms] = {
    Fault.LATENCY: {"delay": 0.01},
    Fault.BANDWIDTH: {"rate": 100},
    Fault.SLOW_CLOSE: {"delay": 0.01},
    Fault.SLICER: {"size": 10},
    Fault.LIMIT_DATA: {"bytes": 10_000},
    Fault.QUERY_SLOW: {"seconds": 0.05},
    Fault.HANDSHAKE_SLOW: {"seconds": 0.05},
    Fault.SERVER_FULL: {"limit": 2},
    Fault.ACCOUNT_FULL: {"limit": 2},
}


def begin(server: Server, fault: Fault) -> ThreadsRun:
    """Return a run in the middle of a test: a connection is on loan, and the fault is in force."""
    run = _run(server, fault)
    lab = run.lab
    if fault is Fault.IDLE_TIMED_OUT:
        lab.server_settings(wait_timeout=1)
    if fault in TLS_FAULTS:
        pool = lab.open(Target.TLS_CLIENT, size=2, max_overflow=0)
    elif fault is Fault.NAME_MOVED:
        pool = lab.open(Target.NAMED, size=2, max_overflow=0)
    else:
        pool = lab.pool(size=2, max_overflow=0, timeout=5.0)
    held = pool.acquire()
    terms: FaultTerms = dict(TERMS.get(fault, {}))  # type: ignore[assignment]
    if fault in ON_ONE:
        terms["on"] = held
    if fault in CALL_FAULTS and CALL_FAULTS[fault][1] is Manner.SLOW:
        terms["seconds"] = 0.01
    if fault is Fault.QUERY_KILLED:
        lab.start(actor(lambda: _sleep(held), name="sleeper"))
    lab.fault(fault, **terms)
    return run


def _run(server: Server, fault: Fault) -> ThreadsRun:
    scripted = fault in CALL_FAULTS and CALL_FAULTS[fault][0] in OF_CONNECTIONS
    connections = Connections.SCRIPTED if scripted else Connections.DRIVER
    front = ServerFront(server.address) if fault in OF_FRONT else None
    line = Line(front.address if front else server.address) if front or _uses_line(fault) else None
    run = ThreadsRun(server, SteadypoolAdapter(), TimeKind.REAL, connections)
    if line is not None:
        run.lab.context.lay(line, front)
    return run


def _uses_line(fault: Fault) -> bool:
    return fault in OF_NETWORK


def _sleep(held: Held) -> None:
    with suppress(Exception):
        held.query("SELECT SLEEP(5)")


def main() -> None:
    """Set faults beside one another."""
    server = start_server(sys.argv[1])
    runs = [begin(server, Fault(word)) for word in sys.argv[2:]]
    print(len(runs), flush=True)  # noqa: T201
    signal.pause()


if __name__ == "__main__":
    main()
