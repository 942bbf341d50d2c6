"""Directories of private instances, and of the files of tests.

An instance has a directory `poolspec-XXXXXXXX` with access for its owner only. It is in the
directory that TMPDIR names; else in memory (tmpfs) if there is enough, because making a database on
a busy disk takes fifty times as long; else in the usual directory for temporary files.

Guardian and server hold its lock as long as one of them runs; a test process holds those of its
tests. A directory whose lock is free belongs to no process, and a later run removes it.
"""

import os
import tempfile
from pathlib import Path

from poolspec.folders import LockedFolder, left_in, make_folder, remove_left_in

_MEMORY = Path("/dev/shm")
_PLENTY_BYTES = 1 << 30
_LONGEST_BASE = 70  # a unix socket's path holds 103 bytes on macOS, 107 on Linux


def create_directory() -> LockedFolder:
    """Make an instance's directory and lock it."""
    return make_folder(_bases()[0])


def left() -> list[Path]:
    """Return the directories that runs left behind."""
    return [path for place in _places() for path in left_in(place)]


def sweep() -> list[Path]:
    """Remove the directories that runs left behind, and return them."""
    return [path for place in _places() for path in remove_left_in(place)]


def _places() -> list[Path]:
    # The folders that may hold directories; those of tests are always with the temporary files.
    return list(dict.fromkeys([*_bases(), Path(tempfile.gettempdir())]))


def _bases() -> list[Path]:
    # The folders that may hold instances; new ones go to the first.
    usual = Path(tempfile.gettempdir())
    usual = usual if len(str(usual)) <= _LONGEST_BASE else Path("/tmp")
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return [usual]
    there = os.statvfs(_MEMORY)
    roomy = there.f_bavail * there.f_frsize >= _PLENTY_BYTES
    return [_MEMORY, usual] if roomy else [usual, _MEMORY]
