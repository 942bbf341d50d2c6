"""Directories of private instances, and the removal of those that crashed runs left.

An instance has a directory `poolspec-XXXXXXXX` with access for its owner only. It is in the
directory that TMPDIR names; else in memory (tmpfs) if there is enough, because making a database on
a busy disk takes fifty times as long; else in the usual directory for temporary files.

Guardian and server hold its file `lock` with flock as long as one of them runs. The kernel releases
the lock however they end, so a directory whose lock is free belongs to no process and is removed.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "poolspec-"
_LOCK = "lock"
_MEMORY = Path("/dev/shm")
_PLENTY_BYTES = 1 << 30
_UNLOCKED_GRACE_SECONDS = 60.0
_LONGEST_BASE = 70  # a unix socket's path holds 103 bytes on macOS, 107 on Linux


@dataclass(frozen=True)
class InstanceDirectory:
    """A new directory, and the locked descriptor of its lock file."""

    path: Path
    lock_fd: int


def create_directory() -> InstanceDirectory:
    """Make an instance's directory and lock it."""
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_bases()[0]))
    # Locked before the rename: no other run ever sees a live instance's lock file unlocked.
    fresh = path / "lock.new"
    lock_fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock_fd, fcntl.LOCK_EX)
    fresh.rename(path / _LOCK)
    return InstanceDirectory(path, lock_fd)


def sweep() -> int:
    """Remove the directories of instances that no longer run; return their number."""
    return sum(
        _removed_if_dead(path) for base in _bases() for path in base.glob(f"{_PREFIX}????????")
    )


def _bases() -> list[Path]:
    # The folders that may hold instances; new ones go to the first.
    usual = Path(tempfile.gettempdir())
    usual = usual if len(str(usual)) <= _LONGEST_BASE else Path("/tmp")
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return [usual]
    there = os.statvfs(_MEMORY)
    roomy = there.f_bavail * there.f_frsize >= _PLENTY_BYTES
    return [_MEMORY, usual] if roomy else [usual, _MEMORY]


def _removed_if_dead(path: Path) -> bool:
    try:
        if path.lstat().st_uid != os.getuid() or path.is_symlink():
            return False
        lock_fd = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return _removed_if_abandoned(path)
    except OSError:
        return False
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(lock_fd)
    return True


def _removed_if_abandoned(path: Path) -> bool:
    # No lock file: the directory is being made or removed, or a crash left it half made.
    with contextlib.suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > _UNLOCKED_GRACE_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
            return True
    return False
