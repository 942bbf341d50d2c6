"""One direction of a connection over a line, from its source to its target."""

import socket
import time
from collections import deque
from collections.abc import Callable

from poolspec.faults.network.loop import READ, WRITE, Loop
from poolspec.faults.network.toxics import Item, Mark, Parcel, Stage
from poolspec.vocabulary import Fault

_CHUNK = 65536
_MOST = 4 * _CHUNK
"""Bytes that wait in one direction; beyond that it reads no more until some have left."""
_NEVER = float("-inf")


class Side:
    """One socket of a connection: the source of one direction, and the target of the other."""

    read: Callable[[], None]
    write: Callable[[], None]

    def __init__(self, loop: Loop, connected: socket.socket) -> None:
        self._loop = loop
        self._events = 0
        self.socket = connected

    def want(self, event: int, wanted: bool) -> None:
        """Begin or cease to wait for an event."""
        events = self._events | event if wanted else self._events & ~event
        if events != self._events and self.socket.fileno() >= 0:
            self._events = events
            self._loop.watch(self.socket, events, self)

    def close(self) -> None:
        """Close the socket; idempotent. An event that has already arrived does nothing."""
        self.want(READ | WRITE, False)
        self.socket.close()
        self.read = self.write = _nothing


def _nothing() -> None:
    pass


class Flow:
    """One direction. Without stages, bytes pass at once; with stages, when they are due."""

    def __init__(
        self, loop: Loop, source: Side, target: Side, leave: Callable[[Mark], None]
    ) -> None:
        """Make the direction; `leave` is called when a mark arrives at the target."""
        self._loop = loop
        self._source, self._target = source, target
        self._leave = leave
        self._receive, self._send = source.socket.recv_into, target.socket.send
        self._buffer = memoryview(bytearray(_CHUNK))
        self._stages: dict[Fault, Stage] = {}
        self._queue: deque[Parcel] = deque()
        self._size = 0
        """Bytes in the queue."""
        self._last = _NEVER
        """When the last item of the queue is due; nothing overtakes it."""
        self._timer = _NEVER
        """When the loop calls `flush`."""
        self._is_plain = True
        """No stage, and nothing in the queue."""
        self._has_ended = False

    def read(self) -> None:
        """Forward the bytes that the source has sent."""
        buffer = self._buffer
        try:
            count = self._receive(buffer)
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count and self._is_plain:
            data = buffer[:count]
            sent = self._sent(data)
            if sent < count:
                self._wait_with(self._last, bytes(data[sent:]))
                self.flush()
        elif count:
            self._take(bytes(buffer[:count]))
        elif not self._has_ended:
            self._has_ended = True
            self._source.want(READ, False)
            self._take(Mark.END)

    def flush(self) -> None:
        """Send what is due, as far as the target takes it."""
        now = time.monotonic()
        queue, is_blocked = self._queue, False
        while queue and queue[0][0] <= now and not is_blocked:
            due, item = queue.popleft()
            if isinstance(item, Mark):
                self._leave(item)
                return
            sent = self._sent(item)
            self._size -= sent
            is_blocked = sent < len(item)
            if is_blocked:
                queue.appendleft((due, item[sent:]))
        self._is_plain = not self._stages and not queue
        self._target.want(WRITE, is_blocked)
        self._source.want(READ, not self._has_ended and self._size < _MOST)
        if queue and not is_blocked and self._timer != queue[0][0]:
            self._timer = queue[0][0]
            self._loop.at(self._timer, self.flush)

    def add(self, fault: Fault, stage: Stage) -> None:
        """Let all further bytes pass a stage; it takes the place of the fault's stage before."""
        self._stages[fault] = stage
        self._is_plain = False

    def remove(self, fault: Fault) -> None:
        """End the stage of a fault; all that waits is due at once."""
        if self._stages.pop(fault, None) is not None:
            self._queue = deque((_NEVER, item) for _, item in self._queue)
            self._last = _NEVER
            self.flush()

    def end(self) -> None:
        """Forget what waits: the connection is closed."""
        self._queue.clear()

    def _take(self, item: Item) -> None:
        """Let an item pass all stages, and send what is due at once."""
        parcels = [(time.monotonic(), item)]
        for stage in self._stages.values():
            parcels = [new for due, old in parcels for new in stage.pass_on(due, old)]
        for due, left in parcels:
            self._last = max(self._last, due)
            self._wait_with(self._last, left)
        self.flush()

    def _wait_with(self, due: float, item: Item) -> None:
        self._queue.append((due, item))
        if not isinstance(item, Mark):
            self._size += len(item)

    def _sent(self, data: memoryview | bytes) -> int:
        """Send bytes, and return how many the target took.

        A target that is closed takes all: the direction from that target brings its end.
        """
        try:
            return self._send(data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)
