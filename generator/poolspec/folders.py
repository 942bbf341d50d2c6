"""Temporary folders that a later run recognizes as left behind.

A process that uses a folder holds its file `lock` with flock. The kernel releases the lock however
the process ends, so a folder whose lock is free belongs to no process. The lock also holds between
containers that share a folder for temporary files, where process ids do not. The file contains the
directory in which the run was started.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from poolspec.processes import origin

PREFIX = "poolspec-"
LOCK = "lock"
_UNLOCKED_GRACE_SECONDS = 60.0


@dataclass(frozen=True)
class LockedFolder:
    """A new folder, and the locked descriptor of its lock file; for a `with` block, or `close`."""

    path: Path
    lock_fd: int

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder, then release its lock; once."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.lock_fd)


def make_folder(parent: Path | None = None, prefix: str = PREFIX) -> LockedFolder:
    """Make a folder and lock it; without a parent, where temporary files are."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        return LockedFolder(path, _lock(path))
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def _lock(path: Path) -> int:
    # Locked before the rename: no other run ever sees a live folder's lock file unlocked.
    fresh = path / "lock.new"
    lock_fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(lock_fd, os.fsencode(origin()))
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        fresh.rename(path / LOCK)
    except BaseException:
        os.close(lock_fd)
        raise
    return lock_fd


def origin_of(folder: Path) -> str:
    """Return the directory in which the run that made a folder was started; empty if unknown."""
    with contextlib.suppress(OSError):
        return os.fsdecode((folder / LOCK).read_bytes())
    return ""


def left_in(parent: Path, prefix: str = PREFIX) -> list[Path]:
    """Return the folders of this user there that no process uses."""
    return [path for path in _named(parent, prefix) if _is_left(path)]


def remove_left_in(parent: Path, prefix: str = PREFIX) -> list[Path]:
    """Remove the folders of this user there that no process uses, and return them."""
    return [path for path in _named(parent, prefix) if remove_left(path)]


def remove_left(path: Path) -> bool:
    """Remove a folder if no process uses it; return whether it was removed."""
    return _is_left(path, remove=True)


def _named(parent: Path, prefix: str) -> list[Path]:
    return sorted(parent.glob(f"{prefix}????????"))


def _is_left(path: Path, *, remove: bool = False) -> bool:
    with _held(path) as is_left:
        if is_left and remove:
            shutil.rmtree(path, ignore_errors=True)
        return is_left


@contextlib.contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Yield whether no process uses a folder; hold its lock in the block, if it has one."""
    try:
        if path.lstat().st_uid != os.getuid() or path.is_symlink():
            yield False
            return
        lock_fd = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield _is_abandoned(path)
        return
    except OSError:
        yield False
        return
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(lock_fd)


def _is_abandoned(path: Path) -> bool:
    # No lock file: the folder is being made or removed, or a crash left it half made.
    with contextlib.suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > _UNLOCKED_GRACE_SECONDS
    return False
