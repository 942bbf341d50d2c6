"""The guardian: a small process that outlives its test process just long enough to clean up.

It runs as a script (`python -I -S guard.py DIRECTORY`), imports very little (so no pathlib), and
has a session of its own, so that Ctrl-C does not reach it. It starts the database server as its
child. It ends the server and removes the directory when the test process ends in any way: the pipe
closes even at `kill -9`. If the guardian itself is killed, the kernel ends the server (Linux), and
the next run removes the directory.

Orders arrive on standard input, one per line, words separated by tabs. Reports go to standard
output:

    start WORD …   start the server             started PID
                                                exited STATUS   (whenever the server ends)
    end of input   kill the server, remove the directory, exit
"""

# ruff: noqa: PTH106, PTH108, PTH118 - pathlib takes long to import

import contextlib
import os
import select
import signal
import sys

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


class Guard:
    """Owns one directory, and at most one running child process."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._child = 0
        self._set_death_signal = _death_signal_setter()

    def serve(self) -> None:
        """Follow orders until the test process has ended."""
        wake = _child_bell()
        owner = _watch_parent()
        orders = b""
        while True:
            ready, _, _ = select.select([0, wake, *owner], [], [])
            if wake in ready:
                os.read(wake, 512)
                self._reap(os.WNOHANG)
            if owner and owner[0] in ready:
                return
            if 0 in ready:
                chunk = os.read(0, 65536)
                if not chunk:
                    return
                *lines, orders = (orders + chunk).split(b"\n")
                for line in lines:
                    self._obey(line.split(b"\t"))

    def clean_up(self) -> None:
        """Kill the child, wait for its end, remove the directory."""
        if self._child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            self._reap(0)
        _remove(self._directory)

    def _obey(self, words: list[bytes]) -> None:
        if words[0] == b"start" and not self._child:
            self._child = self._spawn(words[1:])
            _report(f"started {self._child}")

    def _spawn(self, command: list[bytes]) -> int:
        guardian = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            self._set_death_signal()
            if os.getppid() != guardian:  # the guardian ended before the signal was set
                os._exit(1)
            self._redirect()
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            os.execv(command[0], command)
        finally:
            os._exit(127)

    def _redirect(self) -> None:
        log = os.open(
            os.path.join(self._directory, "server.log"),
            os.O_WRONLY | os.O_CREAT | os.O_APPEND,
            0o600,
        )
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, target)

    def _reap(self, options: int) -> None:
        if not self._child:
            return
        pid, status = os.waitpid(self._child, options)
        if pid:
            self._child = 0
            _report(f"exited {os.waitstatus_to_exitcode(status)}")


def _child_bell() -> int:
    # A file descriptor that becomes readable when a child ends.
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def _watch_parent() -> list[int]:
    # A forked child of the test process may hold the pipe open; its parent's end shows anyway.
    if not hasattr(os, "pidfd_open"):
        return []
    try:
        return [os.pidfd_open(os.getppid())]
    except OSError:
        return []


def _death_signal_setter() -> "Callable[[], object]":
    # Loaded before the fork: the child must do as little as possible.
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return lambda: None
    return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _report(line: str) -> None:
    with contextlib.suppress(OSError):
        os.write(1, line.encode() + b"\n")


def _remove(directory: str) -> None:
    for folder, folders, files in os.walk(directory, topdown=False):
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(folder, name))
        for name in folders:
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(os.path.join(folder, name))
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(directory)


def _leave(*_: object) -> None:
    raise SystemExit


def main() -> None:
    """Guard the directory named on the command line."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    guard = Guard(sys.argv[1])
    try:
        guard.serve()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        guard.clean_up()


if __name__ == "__main__":
    main()
