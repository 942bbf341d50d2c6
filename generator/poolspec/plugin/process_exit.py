"""Ends the process even if a broken pool has left threads behind.

Python waits for every non-daemon thread before it exits. A thread that hangs in a broken pool never
ends. If tests have left such threads, the process exits without waiting for them.
"""

import os
import sys
import threading
import time

import pytest

GRACE = 2.0
"""Real seconds to wait for such threads before they are left behind."""

_before_key = pytest.StashKey[set[threading.Thread]]()
_status_key = pytest.StashKey[int]()


def threads_before(config: pytest.Config) -> set[threading.Thread]:
    """Return the threads that ran at the first call of this function."""
    return config.stash.setdefault(_before_key, set(threading.enumerate()))


def note_status(config: pytest.Config, status: int) -> None:
    """Keep the exit status of the run."""
    config.stash[_status_key] = int(status)


def leave_threads(config: pytest.Config) -> None:
    """Exit at once if threads of tests would keep the process from exiting."""
    if _before_key not in config.stash:  # no test had a lab
        return
    deadline = time.monotonic() + GRACE
    left = [thread for thread in threading.enumerate() if _blocks_exit(thread, config)]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    names = ", ".join(thread.name for thread in left if thread.is_alive())
    if names:
        _log(config, f"poolspec: threads that are still running are left behind: {names}")
        os._exit(config.stash.get(_status_key, pytest.ExitCode.INTERNAL_ERROR))


def _blocks_exit(thread: threading.Thread, config: pytest.Config) -> bool:
    return not (thread.daemon or thread in threads_before(config))


def _log(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(line)
        reporter.flush()
    sys.stdout.flush()
    sys.stderr.flush()
