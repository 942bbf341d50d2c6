"""The test process's side of the guardian: start it, send orders, read reports."""

import contextlib
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

from poolspec.servers.base import ServerError
from poolspec.servers.directory import create_directory, no_directory

_GUARD = Path(__file__).with_name("guard.py")
_STOP_SECONDS = 10.0
_START_SECONDS = 10.0


class GuardedDirectory:
    """A directory, and at most one server process in it. Both end with this process.

    Not thread-safe: one thread at a time may start and close.
    """

    def __init__(self) -> None:
        made = create_directory()
        self.path = made.path
        self._owner = os.getpid()
        self._unread = b""
        self._exited: str | None = None
        self.pid: int | None = None
        """Process id of the server, once started."""
        try:
            self._guard = _spawn_guard(made.path, made.lock_fd)
        except OSError as error:
            shutil.rmtree(made.path, ignore_errors=True)
            raise no_directory(made.path.parent, error) from None
        except BaseException:
            shutil.rmtree(made.path, ignore_errors=True)
            raise
        finally:
            os.close(made.lock_fd)

    @property
    def guard_pid(self) -> int:
        """Process id of the guardian."""
        return self._guard.pid

    def start(self, command: list[str]) -> int:
        """Start the server, and return its process id; raises ServerError."""
        assert self._guard.stdin is not None
        line = "start\t" + "\t".join(command) + "\n"
        self._exited = None
        self.pid = None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(line.encode())
            self._guard.stdin.flush()
        deadline = time.monotonic() + _START_SECONDS
        while self.pid is None:
            if not self._read_reports(deadline - time.monotonic()):
                raise ServerError(
                    "The guardian process of the database server did not answer. " + self.log_tail()
                )
        return self.pid

    def exit_status(self) -> str | None:
        """Return the server's exit status, or None while it runs."""
        while self._exited is None and self._read_reports(0.0):
            pass
        return self._exited

    def log_tail(self, lines: int = 15) -> str:
        """Return the last lines of the server's and the guardian's logs, for an error message."""
        texts = []
        for name in ("server.log", "guard.log"):
            with contextlib.suppress(OSError):
                texts += (self.path / name).read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(["The end of its log:", *texts]) if texts else "Its log is empty."

    def close(self) -> None:
        """End the server and remove the directory; idempotent, and without effect in a fork."""
        if os.getpid() != self._owner or self._guard.returncode is not None:
            return
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.close()
        self._guard.stdout.close()
        try:
            self._guard.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        shutil.rmtree(self.path, ignore_errors=True)

    def _read_reports(self, timeout: float) -> bool:
        # Returns whether anything was read.
        assert self._guard.stdout is not None
        if self._guard.stdout.closed:
            return False
        ready, _, _ = select.select([self._guard.stdout], [], [], max(0.0, timeout))
        chunk = os.read(self._guard.stdout.fileno(), 4096) if ready else b""
        *reports, self._unread = (self._unread + chunk).split(b"\n")
        for report in reports:
            word, _, value = report.decode().partition(" ")
            if word == "started":
                self.pid = int(value)
            elif word == "exited":
                self._exited = value
        if ready and not chunk:
            self._exited = "with its guardian"
        return bool(chunk)


def _spawn_guard(directory: Path, lock_fd: int) -> subprocess.Popen[bytes]:
    with (directory / "guard.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=(lock_fd,),
            start_new_session=True,
        )
