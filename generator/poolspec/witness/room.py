"""Room in a pool: an acquire that waits in spite of it lost its wake-up, or the pool lost a slot.

A pool has room for another loan when fewer connections are on loan than its limit, no release and
no connect is under way, and nothing keeps it from connecting: it is neither suspended nor closed,
its last connect succeeded, and so did its last acquire, unless that timed out or was interrupted.
All this the lab knows from its own account. If a waiter is seen for certain at that moment, only a
timer or a helper of the pool could still serve it.

**Sound for pools that poll.** Such a pool looks again after a while, so one moment proves nothing.
The waiter must wait for `LASTS` seconds of the test's clock in which no connection was handed out,
released, opened or closed and nothing else was asked of the pool; or until it times out, although
there was room for all the time it waited. A pool that polls more often has served it by then. A
waiter of a pool that polls less often is reported, and truly: nothing woke it in a second in which
it could have been served. When no timer is left at all, the test is stuck, and no time must pass.

**Lost wake-up or lost slot?** If all connections were on loan when the acquire began, it was right
to wait and was not woken. Otherwise it should not have had to wait: the pool counts a slot as taken
that is not.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import SEEN_WAITING
from poolspec.vocabulary import EventKind
from poolspec.witness.account import Account
from poolspec.witness.calls import Calls, PoolCall

LASTS = 1.0
"""Seconds for which a waiter must wait in vain."""


@dataclass(frozen=True, slots=True)
class _Spell:
    """A time in which there was room and nothing happened in a pool."""

    since: float
    activity: tuple[int, ...]


class Room:
    """Watches the pools of one test, and reports the first waiter that waits in vain."""

    def __init__(
        self,
        now: Callable[[], float],
        calls: Calls,
        entries: Callable[[], Iterable[Entry]],
        report: Callable[[Finding], None],
    ) -> None:
        self._now = now
        self._calls = calls
        self._entries = entries
        self._report = report
        self._spells: dict[int, _Spell] = {}
        self._is_over = False
        self.paused = 0
        """How many blocks are under way in which findings are kept, not reported."""
        self.kept: list[Finding] = []

    def look(self, account: Account, waiter: PoolCall) -> None:
        """Note that an acquire of a pool waits for certain, the oldest that does."""
        spell = self._spell(account)
        if spell is not None and self._now() - spell.since >= LASTS:
            self._found(account, waiter)

    def timed_out(self, account: Account, waiter: PoolCall) -> None:
        """Note that an acquire has timed out; before the account counts that."""
        before = self._spells.get(account.pool)
        spell = self._spell(account)
        if spell is None or spell is not before or not waiter.seen:
            return
        if self._now() - spell.since >= LASTS or spell.since <= waiter.seen_at:
            self._found(account, waiter)

    def stuck(self, account: Account, waiter: PoolCall) -> None:
        """Note that nothing can happen any more while an acquire waits."""
        if self._spell(account) is not None:
            self._found(account, waiter)

    def _spell(self, account: Account) -> _Spell | None:
        """Return the time in which there has been room and nothing happened; None if no room."""
        if not account.has_room:
            self._spells.pop(account.pool, None)
            return None
        activity = (*account.activity, self._calls.begun(account.pool))
        spell = self._spells.get(account.pool)
        if spell is None or spell.activity != activity:
            spell = self._spells[account.pool] = _Spell(self._now(), activity)
        return spell

    def _found(self, account: Account, waiter: PoolCall) -> None:
        if self._is_over:
            return
        self._is_over = not self.paused
        entries = [one for one in self._entries() if not one.by_pool and one.pool == account.pool]
        own = [one for one in entries if one.ticket == waiter.ticket]
        events = [one for one in own if one.kind == SEEN_WAITING][-1:]
        events += [one for one in entries if one.kind is EventKind.CHECKED_IN][-1:]
        was_full = account.limit == _on_loan(entries[: entries.index(own[0])])
        defect = Defect.LOST_WAKE_UP if was_full else Defect.LOST_SLOT
        of = "" if account.limit is None else f" of {account.limit}"
        text = f"{waiter.actor} waits although only {account.in_use}{of} connections are on loan"
        finding = Finding(defect, text, tuple(sorted(events, key=lambda one: one.at)))
        if self.paused:
            self.kept.append(finding)
        else:
            self._report(finding)


def _on_loan(entries: Iterable[Entry]) -> int:
    kinds = Counter(entry.kind for entry in entries)
    return kinds[EventKind.CHECKED_OUT] - kinds[EventKind.CHECKED_IN]
