"""Virtual threads: real threads that are participants of the clock.

A thread counts from before its start until its `run` has ended. To join it is to wait on the clock.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from poolspec.virtual.conditions import Event
from poolspec.virtual.waits import ThreadEndedError, Waits, current


class Thread(threading.Thread):
    """A thread that counts on the clock. A subclass may override `run`.

    Once started it also keeps its methods: its class may be a real thread again before its end.
    """

    def start(self) -> None:
        """Start the thread; from here on it counts as able to run."""
        waits, run = current(), self.run
        ended = Event()
        self.run = partial(_run_counted, waits, run, ended)  # type: ignore[method-assign]
        self.join = partial(_join, self, ended)  # type: ignore[method-assign]
        waits.clock.enter()
        try:
            super().start()
        except BaseException:
            waits.clock.leave()
            raise


def _run_counted(waits: Waits, run: Callable[[], None], ended: Event) -> None:
    waits.begin_thread()
    try:
        run()
    except ThreadEndedError:
        pass
    finally:
        ended.set()
        waits.clock.leave()


def _join(thread: threading.Thread, ended: Event, timeout: float | None = None) -> None:
    if threading.current_thread() is not thread:
        limit = None if timeout is None else max(0.0, timeout)
        if not ended.wait(limit):
            return
    threading.Thread.join(thread, timeout)


class Timer(Thread):
    """A thread that calls a function later, unless it is cancelled."""

    def __init__(
        self,
        interval: float,
        function: Callable[..., object],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.interval = interval
        self.function = function
        self.args = () if args is None else args
        self.kwargs = {} if kwargs is None else kwargs
        self.finished = Event()

    def cancel(self) -> None:
        """Do not call the function, if it was not called yet."""
        self.finished.set()

    def run(self) -> None:
        """Wait, then call the function."""
        self.finished.wait(self.interval)
        if not self.finished.is_set():
            self.function(*self.args, **self.kwargs)
        self.finished.set()
