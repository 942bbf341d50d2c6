"""The slow path of a release in asyncio, and maintenance: resetting and closing connections.

A connection that is being reset or closed stays reserved for the task that does so. The core
records a release before the first await, and cancelling `release` does not stop the reset task.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, cast

from steadypool._asyncio.connect import AsyncOpener
from steadypool._asyncio.monitor import AsyncMonitor
from steadypool._asyncio.tasks import OutOfTimeError, Tasks, cancel
from steadypool._common.log import PoolLog
from steadypool._core.core import Core
from steadypool._core.entries import Answer, ConnectionState, PoolEntry
from steadypool._core.settings import Reset
from steadypool._drivers import async_dbapi as connections
from steadypool._drivers import session
from steadypool._drivers.silence import SHORTEST_SILENCE
from steadypool.events import CloseReason
from steadypool.protocols import AsyncClock, Waiter

_CLEAN = ConnectionState.CLEAN
_SOUND = (_CLEAN, ConnectionState.IN_TRANSACTION)
_HOOK_LIMIT = 5.0
"""Seconds that a hook on a returned connection may take; then the connection is closed."""


class AsyncReleasing:
    """Resets and closes the connections of one core, on one event loop."""

    def __init__(
        self,
        core: Core,
        monitor: AsyncMonitor,
        clock: AsyncClock,
        opener: AsyncOpener,
        log: PoolLog,
    ) -> None:
        self._core = core
        self._run = monitor.run
        self._clock = clock
        self._now = clock.now
        self._opener = opener
        self._log = log
        self._tasks = Tasks(clock)
        self._resets: set[asyncio.Task[object]] = set()
        self._probed: set[PoolEntry] = set()
        """Idle connections on which maintenance makes a round trip."""
        self.live: set[PoolEntry] = set()
        """All entries whose connection is open, wherever they are."""
        self._closes: dict[PoolEntry, asyncio.Task[None]] = {}

    # --- releasing -------------------------------------------------------------------------------

    async def finish_release(self, entry: PoolEntry, state: ConnectionState) -> None:
        """Reset or close a returned connection; its slot stays reserved until that is done."""
        if entry.returning and state not in _SOUND:
            self.note_loss(entry)
        if state is ConnectionState.READ_ONLY:
            self.leave_read_only(entry)
        if entry.returning:
            await self._tasks.finish(self._reset_or_discard(entry, state))
        if self._now() >= self._core.tidy_at:
            await self.tidy()

    def note_loss(self, entry: PoolEntry, *, failed: bool = False) -> None:
        """If a connection was lost or fell silent, check or close the others as that requires.

        `failed`: its rollback or reset failed.
        """
        loss = connections.loss(entry.connection, failed)
        if loss is not None:
            self._change_by_doubt(lambda to_close, now: self._core.note_loss(entry, loss, to_close))

    async def _reset_or_discard(self, entry: PoolEntry, state: ConnectionState) -> None:
        try:
            if entry.reason is None and await self._is_ready(entry, state):
                self._run(self._core.reset, entry, self._now())
        finally:
            if entry.returning:
                entry.reason = entry.reason or CloseReason.DIRTY
                await self._discard(entry)

    async def _is_ready(self, entry: PoolEntry, state: ConnectionState) -> bool:
        """Prepare a returned connection for its next borrower; False: it must be closed."""
        task = asyncio.current_task()
        assert task is not None
        self._resets.add(task)
        restored = False
        try:
            restored = await self._restored(entry, state)
            if restored and await self._cleaned_up(entry):
                return True
        except asyncio.CancelledError:  # by a hook, or pool or loop are closing
            pass
        finally:
            self._resets.discard(task)
        entry.reason = CloseReason.DIRTY
        self.note_loss(entry, failed=not restored and state in _SOUND)
        return False

    async def _restored(self, entry: PoolEntry, state: ConnectionState) -> bool:
        reset = self._core.settings.reset
        if self._opener.is_lost(entry):
            return False
        keeps = state is _CLEAN and reset is not Reset.SESSION
        if state is ConnectionState.RECONNECTED:
            state = connections.state(entry.connection)
            keeps = reset is Reset.NONE or (state is _CLEAN and reset is not Reset.SESSION)
        if not (keeps or await connections.restore(entry.connection, state, reset)):
            return False
        if reset is Reset.SESSION and self._opener.sets_up:  # the reset undid its effect
            return await self._succeeds(entry, self._set_up_again(entry))
        return True

    async def _set_up_again(self, entry: PoolEntry) -> bool:
        await self._opener.set_up(entry)
        return True

    async def _cleaned_up(self, entry: PoolEntry) -> bool:
        settings = self._core.settings
        if not settings.hooked_release:
            return True
        return await self._succeeds(
            entry, self._opener.clean_up(entry, settings.reset is Reset.NONE)
        )

    async def _succeeds(self, entry: PoolEntry, work: Awaitable[bool]) -> bool:
        """Run a hook of a returned connection, within _HOOK_LIMIT."""
        try:
            return await self._tasks.within(work, self._now() + _HOOK_LIMIT)
        except Exception as error:
            if session.shows_read_only(error):
                self.leave_read_only(entry)
            self._log.release_failed(error)
            return False

    async def _discard(self, entry: PoolEntry) -> None:
        try:
            await self._tasks.ended(self._close(entry))
        except asyncio.CancelledError:  # of this task of the pool, which ends at once
            connections.abort(entry.connection)
        finally:
            self._run(self._core.freed, entry, self._now())

    def _close(self, entry: PoolEntry) -> asyncio.Task[None]:
        """Start closing a connection, unless its close is already running."""
        task = self._closes.get(entry)
        if task is None:
            task = self._closes[entry] = self._tasks.spawn(
                connections.close(entry.connection, silent=entry.silent)
            )
            task.add_done_callback(lambda _: self._closed(entry))
        return task

    def _closed(self, entry: PoolEntry) -> None:
        self._closes.pop(entry)
        self.live.discard(entry)

    # --- the pool as a whole ---------------------------------------------------------------------

    async def change(self, apply: Callable[[list[PoolEntry], float], None]) -> None:
        """Apply a change to the core, then close the connections that it removed.

        Cancelling the caller does not stop the closing.
        """
        for task in self._begin_change(apply):
            await self._tasks.ended(task)

    def _begin_change(
        self, apply: Callable[[list[PoolEntry], float], None]
    ) -> list[asyncio.Task[None]]:
        """Apply a change, and return the tasks that close the connections that it removed."""
        to_close: list[PoolEntry] = []
        self._run(apply, to_close, self._now())
        return [self._tasks.spawn(self._discard(entry)) for entry in to_close]

    async def tidy(self) -> None:
        """Close idle connections that are dead, too old or unused for too long."""
        dead = [
            (entry, since)
            for entry, since in self._run(self._core.idle_since)
            if not connections.alive(entry.connection)
        ]
        await self.change(lambda to_close, now: self._core.tidy(dead, to_close, now))

    def leave_read_only(self, entry: PoolEntry) -> None:
        """Close this connection when it returns, and the idle ones: their server is read-only."""
        emptied = False

        def leave(to_close: list[PoolEntry], now: float) -> None:
            nonlocal emptied
            emptied = self._core.leave_server(entry, to_close, now)

        self._begin_change(leave)
        if emptied:
            self._log.server_read_only()

    async def probe(self, limit: float) -> None:
        """Make round trips on idle connections that gave no sign of life for `check_after`.

        At the first silent one, all that gave none since this pass began are closed. So a pass
        waits for one missing answer at most. No round trip begins later than `limit` seconds from
        now.
        """
        began = self._now()
        for entry, since in self._run(self._core.unproven, began):
            left = began + limit - self._now()
            if left <= 0:
                return
            answer = await self._probe(entry, since, None if left == math.inf else left / 2)
            closing = self.doubt(entry, began) if answer is Answer.SILENT else []
            for task in closing:
                await self._tasks.ended(task)

    async def _probe(self, entry: PoolEntry, since: float, limit: float | None) -> Answer:
        reserved: list[PoolEntry] = []
        self._run(self._core.reserve, entry, since, reserved)
        if not reserved:  # in use meanwhile
            return Answer.ALIVE
        self._probed.add(entry)
        answer, closing = Answer.DEAD, None
        try:
            answer = await self.check(entry.connection, limit)
        finally:
            self._probed.discard(entry)
            self._run(self._core.probed, entry, answer, self._now())
            if entry.returning:
                self._log.connection_invalid()
                closing = self._tasks.spawn(self._discard(entry))
        if closing is not None:
            await self._tasks.ended(closing)
        return answer

    async def check(self, connection: Any, limit: float | None) -> Answer:
        """Make a round trip within `limit` seconds, and return what it shows.

        Without a limit, that of the connection holds, or CHECK_LIMIT. An error of a foreign driver
        after a wait counts as silence.
        """
        if not connections.alive(connection):
            return Answer.DEAD
        began, error = self._now(), None
        seconds = connections.check_limit(connection, limit)
        try:
            await self._tasks.within(connections.ping(connection), began + seconds)
        except OutOfTimeError:
            return Answer.SILENT if seconds >= SHORTEST_SILENCE else Answer.DEAD
        except Exception as reason:
            error = reason
        return connections.answer_of(connection, error, self._now() - began)

    def doubt(self, entry: PoolEntry, since: float) -> list[asyncio.Task[None]]:
        """Close idle connections that, like this one, gave no sign of life since `since`."""
        entry.silent = True
        return self._change_by_doubt(lambda to_close, now: self._core.doubt(since, to_close))

    def _change_by_doubt(
        self, apply: Callable[[list[PoolEntry], float], None]
    ) -> list[asyncio.Task[None]]:
        closing = self._begin_change(apply)
        if closing:
            self._log.line_silent(len(closing))
        return closing

    async def drain(self, deadline: float | None) -> None:
        """Wait until every connection is back; at the deadline, abort those still on loan."""
        waiter = self._clock.waiter()
        if self._run(self._core.drained, cast(Waiter, waiter)):  # the core only wakes it
            return
        if not await waiter.wait(deadline):
            for entry in list(self._core.in_use.values()):
                connections.abort(entry.connection)

    def stop_resets(self) -> None:
        """Cancel the resets under way; their connections are closed."""
        cancel(self._resets)

    def report_leaks(self) -> None:
        """Log loans longer than `leak_after`, each once."""
        self._log.leaks_suspected(self._run(self._core.leaks, self._now()))
