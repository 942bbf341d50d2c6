"""The witness of one test: it logs what the lab does in the pools, and which acquires wait.

An acquire waits when it has begun, has not returned, its thread or task is blocked, and no code of
the lab, such as a connect, runs for it. The witness looks when all of a test rests: on a virtual
clock whenever time is about to jump, in asyncio whenever the event loop has nothing to do. For
threads on the real clock, `sampler` looks.

An acquire waits for certain if besides nothing is under way that could have served it already
without waking it: no other call of the pool than acquires, no code of the lab and, in asyncio, no
I/O for one of its calls, also for one that has ended and left a task behind.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from poolspec.invariants.deadlock import NOTHING_LEFT
from poolspec.invariants.defects import Finding
from poolspec.invariants.log import Entry, Log, current_actor
from poolspec.invariants.marks import (
    CONNECT_FAILED,
    CONNECT_HELD,
    CONNECT_RESUMED,
    CONNECT_STARTED,
    LATE_RELEASE,
    SEEN_WAITING,
)
from poolspec.vocabulary import ErrorKind, EventKind, StatName
from poolspec.witness.account import Account
from poolspec.witness.calls import (
    Calls,
    PoolCall,
    current_call,
)
from poolspec.witness.loans import Acquiring, Releasing
from poolspec.witness.room import LASTS, Room

__tracebackhide__ = True  # a failure is shown where the test failed

BEAT = LASTS / 4
"""Real seconds after which an idle event loop rests again."""
LATE = 0.25
"""Seconds of the test's clock from which a release is logged once more when it is done."""
BESIDE_OTHERS = "beside other calls of the pool"
"""Detail of an acquire that waits, but perhaps was served already by another call."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How far a test has come."""

    length: int
    """Entries in the log."""
    changes: int
    """Changes of the calls under way."""


class Witness:
    """Observes the pools of one test. Safe to use from any thread or task."""

    def __init__(
        self,
        log: Log,
        now: Callable[[], float],
        kind_of: Callable[[BaseException], ErrorKind | None],
        look_into: Callable[[BaseException], None],
        calls: Calls,
    ) -> None:
        self.calls = calls
        self.kind_of = kind_of
        self.look_into = look_into
        self.log = log
        self._now = now
        self.found: list[Finding] = []
        """What was found while the test ran."""
        self.give_up: Callable[[str], object] = lambda _: None
        """Ends the test at once, with a reason."""
        self.accounts: Callable[[], Iterable[Account]] = tuple
        """Returns the accounts of the test's pools."""
        self._room = Room(now, calls, log.glance, self._report)

    def acquiring(self, account: Account) -> Acquiring:
        """Return a context for one acquire of the calling thread or task."""
        return Acquiring(self, account)

    def releasing(self, account: Account, connection: int) -> Releasing:
        """Return a context for one release of the calling thread or task."""
        return Releasing(self, account, connection)

    def released(self, call: PoolCall, connection: int, began: float) -> None:
        """Log once more that a connection was released, if that took some time."""
        seconds = self._now() - began
        if seconds >= LATE:
            self.note(call, LATE_RELEASE, connection, f"took {seconds:g} s")

    @contextmanager
    def connecting(self, account: Account, *, is_held: bool = False) -> Iterator[None]:
        """Note and log a connect of a pool for the length of the block.

        If a fault may hold it, the end is logged too; else that of its socket or its failure is.
        """
        account.connect(1)
        call = current_call()
        ticket = None if call is None else call.ticket
        actor = current_actor() if call is None else call.actor
        kind = CONNECT_HELD if is_held else CONNECT_STARTED
        began = Entry(self._now(), actor, kind, pool=account.pool, ticket=ticket)
        self.log.append(began)
        try:
            with self.calls.busy():
                yield
            account.cannot_connect = False
            if call is not None:
                call.has_failed = False
        except BaseException as error:
            if isinstance(error, Exception):  # an interrupt says nothing about the server
                account.cannot_connect = True
            if call is not None:
                call.has_failed = True
            failed = began._replace(at=self._now(), kind=CONNECT_FAILED)
            self.log.append(failed._replace(detail=type(error).__name__))
            raise
        finally:
            if is_held:
                self.log.append(began._replace(at=self._now(), kind=CONNECT_RESUMED))
            account.connect(-1)

    def watch(self, clock: object) -> None:
        """Look at each moment at which all participants of a clock wait, if the clock tells."""
        if hasattr(clock, "at_rest"):
            clock.at_rest = self.rest
        with suppress(RuntimeError):  # no event loop runs in this thread
            loop = asyncio.get_running_loop()
            if getattr(clock, "is_real", False):
                self._beat(loop)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let an event loop come to rest now and then even if nothing happens any more."""
        loop.call_later(BEAT, self._beat, loop)

    def rest(self, besides: Collection[PoolCall] = ()) -> None:
        """Note what waits, at a moment when all threads or tasks of the test are blocked.

        The calls of `besides` are blocked, but not in a queue: they have I/O under way. One that
        has ended has left a task behind.
        """
        calls, unrest = self.calls, {call.pool for call in besides}
        for call in (*calls.unseen(), *calls.noted(), *calls.passed()):
            if not call.busy and call not in besides:
                self.see(call, certain=call.pool not in unrest and calls.is_quiet(call.pool))
        self._look_for_room({a.pool for a in self.accounts() if calls.is_quiet(a.pool)} - unrest)

    def _look_for_room(self, pools: Collection[int]) -> None:
        """Check pools whose acquires all wait for certain."""
        for account in self.accounts():
            oldest = self.calls.oldest(account.pool) if account.pool in pools else None
            if oldest is not None:
                self._room.look(account, oldest)

    def failed(self, account: Account, call: PoolCall, error: BaseException) -> None:
        """Note how an acquire fails."""
        if self.kind_of(error) is ErrorKind.TIMEOUT:
            account.count(StatName.TIMEOUTS)
            self._room.timed_out(account, call)
        elif NOTHING_LEFT in str(error):
            self._room.stuck(account, call)
        elif isinstance(error, Exception):
            account.fails = True

    def _report(self, finding: Finding) -> None:
        self.found.append(finding)
        self.give_up(str(finding))

    @contextmanager
    def letting_wait(self) -> Iterator[None]:
        """Let waiters of the block wait in vain: each wait has a limit, and is judged after it."""
        if not self._room.paused:
            self._room.kept.clear()
        self._room.paused += 1
        try:
            yield
        finally:
            self._room.paused -= 1

    def kept(self) -> list[Finding]:
        """Return what waiters of the latest such block have shown."""
        return list(self._room.kept)

    def moment(self) -> "Moment":
        """Return what a later look compares, to know that nothing was logged or called since."""
        return Moment(self.log.length(), self.calls.changes)

    def see_all(
        self, certain: Collection[PoolCall], others: Iterable[PoolCall], moment: "Moment"
    ) -> bool:
        """Log which acquires wait, if nothing has happened since `moment`; return whether so."""
        with self.log.still(moment.length) as still:
            if not still or self.calls.changes != moment.changes:
                return False
            for call in certain:
                self.see(call)
            for call in others:
                self.see(call, certain=False)
            self._look_for_room({call.pool for call in certain})
        return True

    def see(self, call: PoolCall, *, certain: bool = True) -> None:
        """Log that an acquire waits in the pool's queue.

        It is not certain of one whose connect failed: it may wait to connect again. Nor is it
        certain in a pool that connects without the lab and has room: the acquire may connect.
        """
        unseen = any(one.may_connect_unseen for one in self.accounts() if one.pool == call.pool)
        certain = certain and not call.has_failed and not unseen
        if self.calls.see(call, self._now(), certain=certain):
            self.note(call, SEEN_WAITING, detail="" if certain else BESIDE_OTHERS)

    def waiting(self, pool: int | None = None) -> set[str]:
        """Return the actors whose acquires were last seen waiting, in one pool or in any."""
        return {call.actor for call in self.calls.seen() if pool in (None, call.pool)}

    def number_waiting(self, pool: int) -> int:
        """Return how many acquires of a pool were last seen waiting."""
        return sum(call.pool == pool for call in self.calls.seen())

    def note(
        self,
        call: PoolCall,
        kind: EventKind | str,
        connection: int | None = None,
        detail: str = "",
    ) -> None:
        """Log what happens in a call."""
        self.log.append(
            Entry(
                self._now(),
                call.actor,
                kind,
                pool=call.pool,
                ticket=call.ticket,
                connection=connection,
                detail=detail,
            )
        )
