"""A forked child reports to its parent."""

import os
import threading
import time
import warnings

import pytest

from poolspec.lifecycle import forking
from poolspec.lifecycle.forking import in_child
from poolspec.lifecycle.locks import FreshLock


def test_a_child_is_another_process_and_changes_nothing_in_the_parent() -> None:
    seen: list[int] = []
    here = os.getpid()

    def work() -> None:
        seen.append(os.getpid())
        assert seen != [here]

    in_child(work)
    assert seen == []


def test_an_error_in_a_child_is_raised_in_the_parent() -> None:
    def work() -> None:
        error = ValueError("a child's error")
        error.add_note("a note")
        raise error

    with pytest.raises(AssertionError, match=r"child: ValueError: a child's error\na note") as told:
        in_child(work)
    assert "in work" in "".join(told.value.__notes__)


def test_an_interrupt_in_a_child_ends_only_the_child() -> None:
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(AssertionError, match="KeyboardInterrupt"):
        in_child(work)


def test_a_child_without_a_report_has_failed() -> None:
    with pytest.raises(AssertionError, match="without a report, with status 3"):
        in_child(lambda: os._exit(3))


def test_a_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        threading.Event().wait()

    children = []

    def fork() -> int:
        children.append(os.fork())
        return children[-1]

    monkeypatch.setattr(forking, "LIMIT", 0.05)
    monkeypatch.setattr(forking, "_fork", fork)
    with (
        warnings.catch_warnings(action="ignore", category=DeprecationWarning),
        pytest.raises(AssertionError, match=r"not done after 0\.05 s"),
    ):
        in_child(work)
    with pytest.raises(ChildProcessError):
        os.waitpid(children[0], os.WNOHANG)  # it was reaped


def test_a_lock_that_another_thread_holds_is_free_in_a_child() -> None:
    lock = FreshLock()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait(30)

    def work() -> None:
        with lock:
            assert time.monotonic()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    try:
        in_child(work)
    finally:
        done.set()
        thread.join(30)
