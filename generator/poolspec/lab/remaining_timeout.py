"""How long somebody who waits for the database will still wait for it.

Nobody has to wait to find out. A thread that waits is in a call of a socket, whose timeout is what
it gives the other side from the beginning of that call. A task that waits has set a timer, or
a task has that it started: a timer knows the context in which it was set.
"""

import asyncio
import socket
from collections.abc import Iterable
from contextvars import ContextVar
from types import FrameType
from typing import Any

from poolspec.lab.comparisons import Expected, mismatch
from poolspec.lifecycle.frames import current_frames

acts: ContextVar[bool] = ContextVar("acts", default=False)
"""Whether this is an actor's task, or was started by one; the lab's and a housekeeper's are not."""


def of_threads(threads: Iterable[int]) -> float | None:
    """Return the shortest timeout of the sockets that threads are busy with; None: there is none.

    Threads are told by their `ident`. A socket without a timeout is waited for for ever.
    """
    frames = current_frames()
    found = [_socket_of(frames[ident]) for ident in threads if ident in frames]
    limits = [source.gettimeout() for source in found if source is not None]
    return min((float("inf") if limit is None else limit for limit in limits), default=None)


def of_tasks(loop: asyncio.AbstractEventLoop) -> float | None:
    """Return the seconds until the next timer that an actor has set; None: there is none."""
    timers: list[Any] = loop._scheduled  # type: ignore[attr-defined]  # asyncio's own have it
    of_actors = (at for at in timers if at._context.get(acts) and not at.cancelled())
    return min((at.when() - loop.time() for at in of_actors), default=None)


def complaint(expected: Expected, seen: float | None) -> str | None:
    """Say how a remaining timeout is not what was expected; None where it does not."""
    if seen is None:
        return "nobody waits for the database"
    return mismatch("remaining timeout", expected, seen)


def _socket_of(frame: FrameType) -> socket.socket | None:
    """Return the socket that the innermost function of a thread has in hand."""
    for value in list(frame.f_locals.values()):
        if isinstance(value, socket.socket):
            return value
        if isinstance(value, socket.SocketIO):
            return getattr(value, "_sock", None)  # not there while it is made
    return None
