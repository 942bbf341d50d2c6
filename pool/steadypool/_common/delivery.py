"""The delivery of a pool's events to its listeners, outside the pool's lock.

Listeners get the events in the order of the pool's transitions. One thread delivers at a time. If
another thread records events meanwhile, it leaves them to the first one and does not wait. So a
slow listener delays only the thread that runs it.
"""

from collections import deque

from steadypool._common.deferred import Deferred
from steadypool._common.log import PoolLog
from steadypool.events import Listener, PoolEvent


class Delivery:
    """Delivers the events of one outbox. Thread-safe and re-entrant."""

    def __init__(
        self,
        outbox: deque[PoolEvent],
        listeners: tuple[Listener, ...],
        deferred: Deferred,
        log: PoolLog,
    ) -> None:
        self._outbox = outbox
        self._listeners = listeners
        self._deferred = deferred
        self._log = log
        self._called = 0
        """How many listeners already have the first event of the outbox."""
        self._turn: list[None] = [None]
        """Empty while a thread delivers. No signal can interrupt the `del` that empties it."""

    def deliver(self) -> None:
        """Deliver all events in the outbox, unless another call is doing so."""
        while self._outbox:
            try:
                del self._turn[0]
            except IndexError:
                return
            try:
                while self._outbox:
                    self._send(self._outbox[0])
                    del self._outbox[0]
                    self._called = 0
            finally:
                self._turn.append(None)

    def _send(self, event: PoolEvent) -> None:
        """Call every listener. The first error is logged; an interrupt is deferred.

        If this is interrupted outside the listeners, a second call completes it.
        """
        while self._called < len(self._listeners):
            listener = self._listeners[self._called]
            self._called += 1
            try:
                listener(event)
            except Exception as error:
                self._log.listener_failed(error)
            except BaseException as error:
                self._deferred.defer(error)
