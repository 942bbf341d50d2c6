"""The delivery of a pool's events to its listeners, outside the pool's lock.

Listeners get the events in the order of the pool's transitions. One thread delivers at a time. If
another thread causes events meanwhile, it leaves them to the first one and does not wait. A thread
that has delivered for 100 ms leaves the rest to a short-lived thread. So a slow listener delays a
call of the pool by one event and 100 ms at most, however many events other threads cause.
"""

import math
import threading
from collections import deque
from time import monotonic

from steadypool._common.deferred import Deferred
from steadypool._common.log import PoolLog
from steadypool.events import Listener, PoolEvent

_LONGEST = 0.1
"""Seconds after which a call of the pool leaves the remaining events to another thread."""


class Delivery:
    """Delivers the events of one outbox. Thread-safe and re-entrant.

    `hands_over`: whether another thread may deliver.
    """

    def __init__(
        self,
        outbox: deque[PoolEvent],
        listeners: tuple[Listener, ...],
        deferred: Deferred,
        log: PoolLog,
        *,
        hands_over: bool,
    ) -> None:
        self._outbox = outbox
        self._listeners = listeners
        self._deferred = deferred
        self._log = log
        self._longest = _LONGEST if hands_over else math.inf
        self._called = 0
        """How many listeners already have the first event of the outbox."""
        self._turn: list[None] = [None]
        """Empty while a thread delivers. No signal can interrupt the `del` that empties it."""

    def deliver(self) -> None:
        """Deliver all events in the outbox, unless another call is doing so."""
        until = monotonic() + self._longest
        while self._outbox:
            if monotonic() >= until and self._hand_over():
                return
            if not self._deliver_until(until):
                return

    def _deliver_until(self, until: float) -> bool:
        """Deliver events until a time; False: another call is delivering."""
        try:
            del self._turn[0]
        except IndexError:
            return False
        try:
            while self._outbox:
                self._send(self._outbox[0])
                del self._outbox[0]
                self._called = 0
                if monotonic() >= until:
                    return True
        finally:
            self._turn.append(None)
        return True

    def _hand_over(self) -> bool:
        """Leave the rest to another thread; False if none can be started."""
        try:
            threading.Thread(
                target=self._deliver_rest, name="steadypool events", daemon=True
            ).start()
        except RuntimeError:  # the interpreter is ending, or there are too many threads
            return False
        return True

    def _deliver_rest(self) -> None:
        while self._outbox and self._deliver_until(math.inf):
            pass
        self._deferred.settle()

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
