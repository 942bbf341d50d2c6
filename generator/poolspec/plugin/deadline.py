"""Ends a test that hangs, and shows the stack of every thread.

The alarm interrupts the main thread wherever it blocks. The test's clock frees the other actors.
"""

import threading
import traceback
from collections.abc import Callable
from types import FrameType

import pytest

from poolspec.lab.common import AnyLab
from poolspec.lifecycle import alarm
from poolspec.lifecycle.frames import current_frames

TEST_CALL = "pytest_pyfunc_call"
"""The function of pytest that calls a test."""
OURS = (__file__, alarm.__file__)


def run_until(seconds: float, test: Callable[[], None], lab: AnyLab) -> None:
    """Run a test. If it does not end within `seconds`, fail it with the stacks of all threads."""
    report: list[str] = []

    def give_up(_frame: FrameType | None) -> BaseException:
        if not report:  # the stacks at the first ring are the useful ones
            found = "; ".join(map(str, lab.found()))
            why = found or f"not done after {seconds:g} s of real time"
            whole = ": ".join(filter(None, (why, lab.stuck())))
            report.append(f"{whole}\n\n{stacks()}")
        return pytest.fail.Exception(report[0], pytrace=False)

    alarm.Alarm(seconds, give_up, lab.abort).watch(test)


def stacks() -> str:
    """Return the stack of every Python thread, under its name."""
    frames = current_frames()
    threads = [thread for thread in threading.enumerate() if thread.ident in frames]
    shown = [(thread.name, frames[thread.ident or 0]) for thread in threads]
    return "\n".join(f"thread {name}:\n{_stack(frame)}" for name, frame in shown)


def _stack(frame: FrameType) -> str:
    # Leave out the frames above the test, and those of the alarm below it.
    calls = [call for call in traceback.extract_stack(frame) if call.filename not in OURS]
    outside = [n for n, call in enumerate(calls) if call.name == TEST_CALL]
    return "".join(traceback.format_list(calls[outside[-1] + 1 :] if outside else calls))
