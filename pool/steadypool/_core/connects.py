"""Transitions of connects: opened, failed, refused by a full server, and the end of a backoff."""

from contextlib import suppress

from steadypool._core.entries import UNNUMBERED, AcquireRequest, Step
from steadypool._core.state import State
from steadypool.protocols import Waiter


class Connects(State):
    """The transitions. Not thread-safe: the caller holds the pool's lock."""

    __slots__ = ()

    def opened(self, request: AcquireRequest, now: float) -> float | None:
        """Report that the connection of an OPEN is the request's entry.

        Returns the length of the outage in seconds if connects had been failing, else None.
        """
        entry = request.entry
        assert entry is not None
        entry.generation = request.generation
        self.connecting -= 1
        request.step = Step.TAKE
        outage = self.breaker.succeeded(now)
        self._count_created(entry)
        if self.ceiling.is_set:
            self._got_in(now)
        if not request.serial:  # opened by the pool, not for an acquire
            request.step = Step.DONE
            entry.returning = UNNUMBERED
            self._place_owned(request, entry, now)
        self._serve(now)
        self._emit_events(now)
        return outage

    def failed(
        self,
        request: AcquireRequest,
        waiter: Waiter,
        counts: bool,
        until: float | None,
        now: float,
    ) -> int:
        """Report that the connect of an OPEN failed; the next step is BACKOFF or FAILED.

        `counts`: the server may be down. `until`: the time of the next attempt; None: no retry.
        Returns the number of failures in a row if this one opened the breaker, else 0.
        """
        request.waiter = waiter
        self._connect_ended(request, full=False)
        opened = counts and self.breaker.failed(now)
        self._back_off(request, until)
        self._serve(now)
        self._emit_events(now)
        return self.breaker.failures if opened else 0

    def refused(
        self, request: AcquireRequest, waiter: Waiter, until: float | None, now: float
    ) -> float | None:
        """Report that a full server refused the connect of an OPEN.

        The request waits in the queue if a connection of the pool may return; otherwise the next
        step is as after `failed`. The breaker takes the answer for a success. Returns the length of
        the outage in seconds if connects had been failing, else None.
        """
        request.waiter = waiter
        self._connect_ended(request, full=True)
        outage = self.breaker.succeeded(now)
        self.ceiling.refused(now)
        self._choose_path()
        if request.serial and self._may_return():
            request.spared += 1
            request.step = Step.FAILED
            self.pending -= 1
            self._queue_again(request, now)
        else:
            self._back_off(request, until)
            self._serve(now)
        self._emit_events(now)
        return outage

    def backed_off(self, request: AcquireRequest, waiter: Waiter, now: float) -> None:
        """Report the end of a BACKOFF: the request takes a free connection or connects again."""
        request.waiter = waiter
        with suppress(ValueError):
            self.backing_off.remove(request)
        if request.step is Step.BACKOFF:
            request.step = Step.FAILED
            self.pending -= 1
        if request.step is Step.FAILED:
            self._queue_again(request, now)
            self._emit_events(now)
        else:  # it joined the queue meanwhile
            self.looks_again(request, waiter, now)

    def looks_again(self, request: AcquireRequest, waiter: Waiter, now: float) -> None:
        """Report that the request was woken, or that its watch has ended.

        If it is still in the queue, it waits again, with this waiter.
        """
        request.waiter = waiter
        self.ceiling.looks_again(request, now)
        self._serve(now)
        self._emit_events(now)

    # --- parts -----------------------------------------------------------------------------------

    def _connect_ended(self, request: AcquireRequest, full: bool) -> None:
        self.connecting -= 1
        request.attempts += 1
        request.full = full
        request.step = Step.BACKOFF  # which owns the remaining slot of an OPEN
        self.connect_failures += 1

    def _back_off(self, request: AcquireRequest, until: float | None) -> None:
        attempts = request.attempts - request.spared
        if until is None or attempts >= self.settings.connect_attempts or self.breaker.is_open:
            self.pending -= 1
            request.step = Step.FAILED
        else:
            request.until = until
            self.backing_off.append(request)

    def _got_in(self, now: float) -> None:
        """Once a connect to a full server succeeded, queue the requests that the server refused.

        They stay asleep until the end of their backoff, unless they are served before.
        """
        for request in [one for one in self.backing_off if one.full]:
            self.backing_off.remove(request)
            request.step = Step.FAILED
            self.pending -= 1
            self._insert(request)
        self.ceiling.succeeded(now, bool(self.waiters))
        self._choose_path()
