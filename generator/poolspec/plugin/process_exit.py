"""The end of the process, where a broken pool has left threads behind.

Python waits for every thread that is no daemon before it ends. One that stands in a broken pool may
never end; where tests have left such threads, the process ends without them.
"""

import os
import sys
import threading
import time

import pytest

PATIENCE = 2.0
"""Real seconds for such threads to end after all."""

_before_key = pytest.StashKey[set[threading.Thread]]()
_status_key = pytest.StashKey[int]()


def threads_before(config: pytest.Config) -> set[threading.Thread]:
    """Return the threads that there were when this was first asked."""
    return config.stash.setdefault(_before_key, set(threading.enumerate()))


def note_status(config: pytest.Config, status: int) -> None:
    """Keep the exit status of the run."""
    config.stash[_status_key] = int(status)


def leave_threads(config: pytest.Config) -> None:
    """End the process at once if threads of tests would keep it from ending."""
    if _before_key not in config.stash:  # no test had a lab
        return
    deadline = time.monotonic() + PATIENCE
    left = [thread for thread in threading.enumerate() if _holds_up(thread, config)]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    names = ", ".join(thread.name for thread in left if thread.is_alive())
    if names:
        _say(config, f"poolspec: threads go on, and are left behind: {names}")
        os._exit(config.stash.get(_status_key, pytest.ExitCode.INTERNAL_ERROR))


def _holds_up(thread: threading.Thread, config: pytest.Config) -> bool:
    return not (thread.daemon or thread in threads_before(config))


def _say(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(line)
        reporter.flush()
    sys.stdout.flush()
    sys.stderr.flush()
