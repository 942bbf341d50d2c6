"""How long an actor that waits for the database will still wait, read without waiting.

A waiting thread is in a call of a socket, whose timeout counts from the start of that call. A
waiting task, or a task that it started, has set a timer; a timer keeps the context that set it.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from types import FrameType
from typing import Any

from poolspec.faults.server import LOOK_EVERY
from poolspec.invariants.complaints import demand
from poolspec.invariants.observer import SETTLE, settle
from poolspec.lab.comparisons import Expected, mismatch
from poolspec.lifecycle.frames import current_frames

acts: ContextVar[bool] = ContextVar("acts", default=False)
"""Whether this task is an actor's or was started by one; the lab's and a housekeeper's are not."""


def of_threads(threads: Iterable[int]) -> float | None:
    """Return the shortest timeout of the sockets that threads wait for; None if none waits.

    Threads are given by their `ident`. A socket without a timeout counts as infinite.
    """
    frames = current_frames()
    found = [_socket_of(frames[ident]) for ident in threads if ident in frames]
    limits = [source.gettimeout() for source in found if source is not None]
    return min((float("inf") if limit is None else limit for limit in limits), default=None)


def of_tasks(loop: asyncio.AbstractEventLoop) -> float | None:
    """Return the seconds until the next timer that an actor has set; None if there is none."""
    timers: list[Any] = loop._scheduled  # type: ignore[attr-defined]  # asyncio's own have it
    of_actors = (at for at in timers if at._context.get(acts) and not at.cancelled())
    return min((at.when() - loop.time() for at in of_actors), default=None)


def expect_of_threads(
    expected: Expected, threads: Callable[[], Iterable[threading.Thread]]
) -> None:
    """Check the remaining timeout of threads, waiting a short time for one to wait."""

    def look() -> str | None:
        return complaint(expected, of_threads(thread.ident or 0 for thread in threads()))

    demand(settle(look, lambda found: found is None))


async def expect_of_tasks(expected: Expected) -> None:
    """Check the remaining timeout of actors' tasks, waiting a short time for one to wait."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE
    while True:
        found = complaint(expected, of_tasks(loop))
        if found is None or loop.time() > deadline:
            return demand(found)
        await asyncio.sleep(LOOK_EVERY)


def complaint(expected: Expected, seen: float | None) -> str | None:
    """Return how a remaining timeout misses the expectation; None if it does not."""
    if seen is None:
        return "no actor waits for the database"
    return mismatch("remaining timeout", expected, seen)


def _socket_of(frame: FrameType) -> socket.socket | None:
    """Return the socket among the local variables of a thread's innermost function."""
    for value in list(frame.f_locals.values()):
        if isinstance(value, socket.socket):
            return value
        if isinstance(value, socket.SocketIO):
            parts = vars(value).values()  # without it while the object is made
            return next((part for part in parts if isinstance(part, socket.socket)), None)
    return None
