"""A module that waits in many ways, as the modules of a pool do. Tests make it virtual."""

import queue
import threading
import threading as aliased
import time
from collections.abc import Callable
from queue import Empty, Full, LifoQueue, PriorityQueue, Queue, SimpleQueue
from threading import (
    Barrier,
    BoundedSemaphore,
    Condition,
    Event,
    Lock,
    RLock,
    Semaphore,
    Thread,
    Timer,
)
from time import monotonic, perf_counter
from time import sleep as pause
from typing import Any

__all__ = [
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Empty",
    "Event",
    "Full",
    "LifoQueue",
    "Lock",
    "PriorityQueue",
    "Queue",
    "RLock",
    "Semaphore",
    "SimpleQueue",
    "Thread",
    "Timer",
    "aliased",
    "monotonic",
    "pause",
    "perf_counter",
    "queue",
    "threading",
    "time",
]

guard = threading.Lock()
registry = threading.RLock()
local = threading.local


class Settings:
    lock_class = Lock
    now: Any = time.monotonic
    then = staticmethod(time.time)
    modules = threading
    shared = threading.Lock()

    class Inner:
        event_class = Event


class Worker(Thread):
    """Sleeps, and then appends the time."""

    def __init__(self, seconds: float, seen: list[float]) -> None:
        super().__init__(daemon=True)
        self.seconds = seconds
        self.seen = seen

    def run(self) -> None:
        time.sleep(self.seconds)
        self.seen.append(time.monotonic())


class Stack(queue.LifoQueue[int]):
    """A queue that a pool has derived."""


def age(since: float, now: Callable[[], float] = time.time, *, lock: object = Lock) -> object:
    """Default values refer to `time` and `threading`."""
    return now() - since, lock


def beat(interval: float, ended: Event, seen: list[float]) -> Thread:
    """Start a thread that does maintenance until the event."""

    def run() -> None:
        while not ended.wait(interval):
            seen.append(time.monotonic())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
