"""Names of tenants: short, unique, harmless in SQL, and naming their owner.

    ps_<machine>_<process id>_<mark of its start>_<number>

A name serves as database and user, so it has at most 32 characters, MySQL's limit for users. A
later run on the same machine sees that the owner has ended, also if its process id is used again,
and drops the tenant. `poolspec.processes` says which machine is the same.
"""

import itertools
import os
import re
import secrets

from poolspec.processes import machine, mark, runs

_NAME = re.compile(
    r"ps_(?P<machine>[0-9a-f]{8})_(?P<pid>[0-9]{1,7})_(?P<start>[0-9a-f]{4})_[0-9]{1,6}"
)
_numbers = itertools.count(1)


def new_name() -> str:
    """Return a name that no other tenant of a live process has."""
    pid = os.getpid()
    return f"ps_{machine()}_{pid}_{mark(pid)}_{next(_numbers)}"


def is_name(text: str) -> bool:
    """Return whether `text` is a tenant's name, and so safe in a statement without quotes."""
    return _NAME.fullmatch(text) is not None


def is_orphan(name: str) -> bool:
    """Return whether `name` belongs to a process of this machine that has ended."""
    match = _NAME.fullmatch(name)
    if match is None or match["machine"] != machine():
        return False
    return not runs(int(match["pid"]), match["start"])


def is_foreign(name: str) -> bool:
    """Return whether `name` belongs to another machine, whose processes cannot be seen here."""
    match = _NAME.fullmatch(name)
    return match is not None and match["machine"] != machine()


def new_password() -> str:
    """Return a random password that strict password rules accept and a URL must quote."""
    return f"{secrets.token_urlsafe(12)}-Aa1@:/?#%&"
