"""Ends a test process by SIGTERM as by Ctrl-C, with its workers, and by SIGQUIT at once.

SIGTERM interrupts the running test, which is torn down; the results of the other tests are kept.
The controlling process of pytest-xdist passes the signal on to its workers, because it may be the
only process that got it. A further SIGTERM has no effect: `poolspec run` sends one also if its
whole process group got one. SIGINT keeps its handler, which asyncio relies on.
"""

import os
import signal
import sys
from contextlib import suppress
from subprocess import Popen
from types import FrameType

INTERRUPTED_AT_ONCE = 128 + signal.SIGQUIT


class Stopping:
    """The handlers of one process."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self.workers: list[Popen[bytes]] = []
        """The worker processes, which end with this one."""
        self.begun = False
        """Whether this process is already ending, by a signal or by Ctrl-C."""

    def install(self) -> None:
        """Handle the signals, except one that has a handler already."""
        for number, handler in ((signal.SIGTERM, self._end), (signal.SIGQUIT, self._end_at_once)):
            with suppress(ValueError):  # not in the main thread
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, handler)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._owner:
            _by_default(number)
        if self.begun:
            return
        self.begun = True
        self._signal_workers(signal.SIGTERM)
        if _is_interrupted():  # the plugin runs no further test
            return
        if callable(signal.getsignal(signal.SIGINT)):
            signal.raise_signal(signal.SIGINT)
        else:  # a shell that starts this process in the background lets it ignore SIGINT
            raise KeyboardInterrupt

    def _end_at_once(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._owner:
            _by_default(number)
        self._signal_workers(signal.SIGKILL)
        for worker in self.workers:
            with suppress(ChildProcessError):  # it has ended before
                os.waitpid(worker.pid, 0)
        os._exit(INTERRUPTED_AT_ONCE)

    def _signal_workers(self, number: signal.Signals) -> None:
        for worker in self.workers:
            worker.send_signal(number)  # does nothing if it has ended


def _is_interrupted() -> bool:
    """Return whether a KeyboardInterrupt is being handled, as after Ctrl-C a moment ago."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _by_default(number: int) -> None:
    """Let a forked child end as if no handler had been installed."""
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
