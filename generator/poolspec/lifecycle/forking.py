"""What a test does in a forked child: done there, judged here.

The child is a copy of the test's process with one thread, the forking one. It ends with `os._exit`:
nothing of the test run is undone or written a second time. What it has to say comes through a pipe,
as JSON. A child that does not end in time is killed; an alarm ends it should its parent be gone.
"""

import json
import os
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn

__tracebackhide__ = True  # a failure is shown where the test failed

LIMIT = 10.0
"""Real seconds that a child may take."""
_SHOWN = 10
"""How many calls of a child's traceback are told."""


def in_child(work: Callable[[], None]) -> None:
    """Do work in a forked child, and wait for its end.

    Raises AssertionError with the message of what was raised there, or when it does not end well.
    """
    reading, writing = os.pipe()
    child = _fork()
    if child == 0:
        _live(work, writing)
    os.close(writing)
    try:
        said = _listen(reading)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _judge(said, status)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python warns of forks beside threads; whether a pool survives one is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _live(work: Callable[[], None], writing: int) -> NoReturn:
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, LIMIT + 1)
        verdict = _verdict(work)
        os.write(writing, json.dumps(verdict).encode())
    finally:
        os._exit(0)


def _verdict(work: Callable[[], None]) -> dict[str, str]:
    try:
        work()
    except BaseException as error:
        said = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        return {"raised": said, "where": _where(error)}
    return {}


def _where(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__)[-_SHOWN:])


def _listen(reading: int) -> bytes:
    said, deadline = b"", time.monotonic() + LIMIT
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"the forked child was not done after {LIMIT:g} s of real time")
        chunk = os.read(reading, 65536)
        if not chunk:
            return said
        said += chunk


def _judge(said: bytes, status: int) -> None:
    if not said:
        raise AssertionError(f"the forked child ended without a word, with status {status}")
    verdict: dict[str, str] = json.loads(said)
    if verdict:
        error = AssertionError(f"in the forked child: {verdict['raised']}")
        error.add_note(verdict["where"])
        raise error
