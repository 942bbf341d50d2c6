"""Give up on a test that hangs, and show where every thread was.

The alarm interrupts the main thread wherever it blocks; the other actors are freed through the
test's clock.
"""

import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from poolspec.lab.context import Bench
from poolspec.lifecycle import alarm
from poolspec.lifecycle.frames import current_frames

TEST_CALL = "pytest_pyfunc_call"
"""The function of pytest that calls a test."""
OURS = (__file__, alarm.__file__)


def run_until(seconds: float, test: Callable[[], None], lab: Bench[Any]) -> None:
    """Run a test; unless it ends within `seconds`, fail it with the stacks of all threads."""
    told: list[str] = []

    def give_up(_frame: FrameType | None) -> BaseException:
        if not told:  # where they stood at first is what tells
            why = f"not done after {seconds:g} s of real time"
            whole = ": ".join(filter(None, (why, lab.standing())))
            told.append(f"{whole}\n\n{stacks()}")
        return pytest.fail.Exception(told[0], pytrace=False)

    alarm.Alarm(seconds, give_up, lab.abort).watch(test)


def stacks() -> str:
    """Return the stack of every Python thread, under its name."""
    frames = current_frames()
    threads = [thread for thread in threading.enumerate() if thread.ident in frames]
    shown = [(thread.name, frames[thread.ident or 0]) for thread in threads]
    return "\n".join(f"thread {name}:\n{_stack(frame)}" for name, frame in shown)


def _stack(frame: FrameType) -> str:
    # What lies outside the test and inside the alarm is of no interest.
    calls = [call for call in traceback.extract_stack(frame) if call.filename not in OURS]
    outside = [n for n, call in enumerate(calls) if call.name == TEST_CALL]
    return "".join(traceback.format_list(calls[outside[-1] + 1 :] if outside else calls))
