"""Names of tenants: short, unique, harmless in SQL, and naming their owner.

    ps_<machine>_<process id>_<start of the run>_<number>

A name serves as database and user, so it has at most 32 characters, MySQL's limit for users. A
later run on the same machine can tell from machine and process id that the owner has ended, and
drop the tenant. A machine is the scope of process ids: two containers are two machines, even with
one host name and one server, and a restarted machine is a different one.
"""

import functools
import itertools
import os
import re
import secrets
import socket
import zlib
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"ps_(?P<machine>[0-9a-f]{8})_(?P<pid>[0-9]{1,7})_[0-9a-f]{4}_[0-9]{1,6}")
_run = secrets.token_hex(2)
_numbers = itertools.count(1)


def new_name() -> str:
    """Return a name that no other tenant of a live process has."""
    return f"ps_{_machine()}_{os.getpid()}_{_run}_{next(_numbers)}"


def is_name(text: str) -> bool:
    """Return whether `text` is a tenant's name, and so safe in a statement without quotes."""
    return _NAME.fullmatch(text) is not None


def is_orphan(name: str) -> bool:
    """Return whether `name` belongs to a process of this machine that has ended."""
    match = _NAME.fullmatch(name)
    if match is None or match["machine"] != _machine():
        return False
    return not _runs(int(match["pid"]))


def new_password() -> str:
    """Return a random password that strict password rules accept and a URL must quote."""
    return f"{secrets.token_urlsafe(12)}-Aa1@:/?#%&"


@functools.cache
def _machine() -> str:
    marks = [socket.gethostname()]
    with suppress(OSError):  # Linux has both, others have neither
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        marks.append(str(Path("/proc/self/ns/pid").readlink()))
    return f"{zlib.crc32(' '.join(marks).encode()):08x}"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
