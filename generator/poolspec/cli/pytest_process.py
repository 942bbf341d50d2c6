"""The pytest process of `poolspec run`, and the signals that end both.

A signal may reach poolspec alone, or all processes of a terminal at once, as Ctrl-C does. So SIGINT
is passed on only if pytest has not ended a moment later. pytest gets SIGTERM for both signals, and
a plugin of ours handles it: it ends the workers and writes partial results. SIGTERM has no further
effect on a pytest that is already ending. After a second signal, or if the end takes too long,
pytest gets SIGQUIT: it kills its workers and exits at once. The guardians of servers end these in
any case.
"""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

from poolspec.cli.exits import Signalled

PASSED_ON = (signal.SIGINT, signal.SIGTERM)
OWN_SECONDS = 0.5
"""How long pytest has to end if the terminal sent it SIGINT too."""
GRACE_SECONDS = 10.0
"""How long pytest has to end its tests and write its results."""
LAST_SECONDS = 2.0
"""How long pytest has to kill its workers."""


@contextmanager
def signals_raise() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise Signalled."""
    before = {number: signal.signal(number, _raise) for number in PASSED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_pytest(
    command: list[str], output: IO[str] | None = None
) -> tuple[int, signal.Signals | None]:
    """Run pytest; return its exit code, and the signal that has ended it."""
    tests = subprocess.Popen(command, stdout=output)
    try:
        return tests.wait(), None
    except Signalled as signalled:
        return _ended(tests, signalled.signal), signalled.signal
    finally:
        tests.kill()  # does nothing if it has ended
        tests.wait()


def _ended(tests: subprocess.Popen[bytes], by: signal.Signals) -> int:
    try:
        if by is signal.SIGINT:
            with suppress(subprocess.TimeoutExpired):
                return tests.wait(OWN_SECONDS)
        tests.terminate()
        return tests.wait(GRACE_SECONDS)
    except (Signalled, subprocess.TimeoutExpired):
        tests.send_signal(signal.SIGQUIT)
        with suppress(Signalled, subprocess.TimeoutExpired):
            return tests.wait(LAST_SECONDS)
    return -signal.SIGKILL


def _raise(number: int, _frame: FrameType | None) -> None:
    raise Signalled(signal.Signals(number))
