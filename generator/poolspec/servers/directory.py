"""Directories of private instances, and of the files of tests.

An instance has a directory `poolspec-XXXXXXXX` with access for its owner only. It is in the
directory that TMPDIR names; else in memory (tmpfs) if there is enough, because making a database on
a busy disk takes fifty times as long; else in the usual directory for temporary files.

Guardian and server hold its lock as long as one of them runs; a test process holds those of its
tests. A directory whose lock is free belongs to no process, and a later run removes it.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from poolspec.folders import LockedFolder, left_in, make_folder, remove_left_in
from poolspec.servers.base import ServerError

LEAST_BYTES = 1 << 20
"""The least room that a running server needs."""
_MEMORY = Path("/dev/shm")
_PLENTY_BYTES = 1 << 30
_REMEDY = "Free some space and allow writing there, or set TMPDIR to another directory."
_LONGEST_BASE = 70  # a unix socket's path holds 103 bytes on macOS, 107 on Linux


def create_directory() -> LockedFolder:
    """Make an instance's directory and lock it; raises ServerError."""
    try:
        base = _bases()[0]
    except OSError as error:  # the system has no directory for temporary files
        raise ServerError(f"No private server can be made: {error.strerror}. {_REMEDY}") from None
    try:
        return make_folder(base)
    except OSError as error:
        raise no_directory(base, error) from None


def no_directory(base: Path, error: OSError) -> ServerError:
    """Return the error that a directory cannot hold an instance."""
    why = error.strerror or str(error)
    return ServerError(f"No private server can be made in {base}: {why}. {_REMEDY}")


def require_room(path: Path, needed: int) -> None:
    """Raise ServerError if the directory of an instance has less room than `needed` bytes."""
    if found := shortage(path, needed):
        raise ServerError(f"{found} for a private server. {_REMEDY}")


def shortage(path: Path, needed: int) -> str:
    """Return, as a clause, that the file system of a directory lacks room; empty if it has it."""
    there = os.statvfs(path)
    blocks = there.f_bavail if os.geteuid() else there.f_bfree
    left = blocks * there.f_frsize
    if left >= needed:
        return ""
    return f"{path.parent} has room for {left / 1e6:.1f} MB, not for the {needed / 1e6:.0f} MB"


def left() -> list[Path]:
    """Return the directories that runs left behind."""
    return [path for place in _places() for path in left_in(place)]


def sweep() -> list[Path]:
    """Remove the directories that runs left behind, and return them."""
    return [path for place in _places() for path in remove_left_in(place)]


def _places() -> list[Path]:
    # The folders that may hold directories; those of tests are always with the temporary files.
    with suppress(FileNotFoundError):  # the system has no directory for temporary files
        return list(dict.fromkeys([*_bases(), Path(tempfile.gettempdir())]))
    return []


def _bases() -> list[Path]:
    # The folders that may hold instances; new ones go to the first.
    chosen = os.environ.get("TMPDIR")
    usual = Path(chosen).absolute() if chosen else Path(tempfile.gettempdir())
    usual = usual if len(str(usual)) <= _LONGEST_BASE else Path("/tmp")
    if chosen or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return [usual]
    there = os.statvfs(_MEMORY)
    roomy = there.f_bavail * there.f_frsize >= _PLENTY_BYTES
    return [_MEMORY, usual] if roomy else [usual, _MEMORY]
