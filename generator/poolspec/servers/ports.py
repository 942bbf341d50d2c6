"""The loopback ports that a run may use, and the process that holds a port that is taken.

Everything that listens (a private server, the lines and fronts before it, a web application) takes
its port here. The user chooses the ports by `--ports`, which sets POOLSPEC_PORTS, so that workers
and child processes use the same ones. The default ports are below the ephemeral range, in which a
client may connect to its own port.

The process that holds a port is known where the system shows it (Linux): /proc/net/tcp names the
socket that listens, and /proc/PID/fd the process that has it open.
"""

import os
import random
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from poolspec.servers.base import ServerError

HOST = "127.0.0.1"
ENVIRONMENT = "POOLSPEC_PORTS"
"""Environment variable: the ports that a run may use, FIRST-LAST or one port."""
OPTION = "--ports"
DEFAULT = range(20000, 32768)
_WAY_OUT = f"{OPTION} FIRST-LAST or {ENVIRONMENT}"
_FORM = re.compile(r"(?P<first>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?")
_LEAST, _MOST = 1024, 65535
_ATTEMPTS = 200
_SHOWN = 3
"""The most taken ports whose holders an error names."""
_LISTENS = "0A"
_LOOPBACK = ("0100007F", "00000000", "0" * 32, "0000000000000000FFFF00000100007F")
"""Local addresses in /proc/net/tcp and tcp6 that keep a port of 127.0.0.1 from others."""


class PortTakenError(ServerError):
    """No port is free. The text names a taken port, its holder and the option for others."""


def chosen_ports() -> range:
    """Return the ports that this run may use; raises ServerError."""
    given = os.environ.get(ENVIRONMENT)
    return DEFAULT if not given else parse_ports(given, ENVIRONMENT)


def parse_ports(text: str, source: str) -> range:
    """Return the ports in FIRST-LAST, or the one port; raises ServerError, which names `source`."""
    form = _FORM.fullmatch(text)
    first = int(form["first"]) if form else 0
    last = int(form["last"] or first) if form else 0
    if not _LEAST <= first <= last <= _MOST:
        raise ServerError(
            f"{source} is {text!r}; expected FIRST-LAST or one port, from {_LEAST} to {_MOST}, "
            "such as 20000-20099."
        )
    return range(first, last + 1)


def free_port() -> int:
    """Return a loopback port that was free a moment ago; raises PortTakenError."""
    tried = _sample()
    for port in tried:
        if is_free(port):
            return port
    raise none_free(tried)


def is_free(port: int) -> bool:
    """Return whether a loopback port can be listened on."""
    with _socket(reuse=True) as probe:
        return _binds(probe, port)


def bound_socket() -> socket.socket:
    """Return a socket that holds a loopback port without listening; raises PortTakenError."""
    # Without SO_REUSEADDR: another process that sets it could share the port.
    return _take(reuse=False)


def listening_socket(backlog: int = 128) -> socket.socket:
    """Return a socket that listens on a loopback port; raises PortTakenError."""
    return _take(backlog, reuse=True)


def _take(backlog: int | None = None, *, reuse: bool) -> socket.socket:
    tried = _sample()
    for port in tried:
        taken = _socket(reuse=reuse)
        if _binds(taken, port, backlog):
            return taken
        taken.close()
    raise none_free(tried)


def _sample() -> list[int]:
    ports = chosen_ports()
    # Not the common generator: each test seeds it, so that all runs would try the same ports.
    return random.SystemRandom().sample(ports, min(_ATTEMPTS, len(ports)))


def _socket(*, reuse: bool) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if reuse:  # the port of a connection that has just ended is free
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def _binds(made: socket.socket, port: int, backlog: int | None = None) -> bool:
    try:
        made.bind((HOST, port))
        if backlog is not None:
            made.listen(backlog)
    except OSError:
        return False
    return True


def none_free(tried: Sequence[int]) -> PortTakenError:
    """Return the error that no port of these is free."""
    shown = sorted(tried)[:_SHOWN]
    taken = "; ".join(f"port {port} on {HOST} is taken{_by(port)}" for port in shown)
    more = len(tried) - len(shown)
    others = f"; so are {more} more" if more else ""
    return PortTakenError(
        f"{taken}{others}. End that process, or choose other ports with {_WAY_OUT}."
    )


def holder(port: int) -> str:
    """Return the process that listens on a loopback port: `mariadbd, process 4711`.

    The user's name if the process belongs to another user; empty if the system does not show it.
    """
    for inode, user in _listening(port):
        pid = _owner(inode)
        return f"{_name(pid)}, process {pid}" if pid else f"a process of user {_user(user)}"
    return ""


def _by(port: int) -> str:
    found = holder(port)
    return f" by {found}" if found else " by another process"


def _listening(port: int) -> Iterator[tuple[str, int]]:
    """Yield inode and user of each socket that listens on a port."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                _, local, _, state, *_ = columns = line.split()
                address, _, number = local.partition(":")
                if state == _LISTENS and address in _LOOPBACK and int(number, 16) == port:
                    yield columns[9], int(columns[7])


def _owner(inode: str) -> int | None:
    """Return a process that has a socket open; None if this user may not see it."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or belongs to another user
            for link in (process / "fd").iterdir():
                if str(link.readlink()) == f"socket:[{inode}]":
                    return int(process.name)
    return None


def _name(pid: int | None) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "a program"


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
