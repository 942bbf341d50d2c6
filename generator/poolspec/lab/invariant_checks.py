"""The invariant checks, which every test must pass at its end.

The pool's word is never taken alone: the event log, the pool's figures, the sockets of the process
and the server's list of connections must agree. A check may wait for the server, never for an
actor.
"""

from collections.abc import Iterator, Mapping
from typing import Generic

from poolspec.invariants import checks, slots
from poolspec.invariants.counts import AtRest, findings_at_rest
from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log import of_latest_round, of_pool
from poolspec.lab.context import C, Context
from poolspec.lab.registry import P
from poolspec.vocabulary import Capability

__tracebackhide__ = True  # a failure is shown where the test failed


_CONSEQUENCE = Defect.LOST_WAKE_UP


class InvariantChecks(Generic[P, C]):
    """Checks the invariants of one test."""

    def __init__(self, context: Context[P, C]) -> None:
        self._context = context

    def in_log(self) -> Iterator[Finding]:
        """Check the order of events, and the writes of loads."""
        context = self._context
        accounts = [pool.account for pool in context.pools]
        limits = {one.pool: one.most for one in accounts if one.most and not one.is_emptied}
        yield from context.witness.found
        entries, may = context.log.entries(), context.capabilities
        yield from checks.findings_in_log(entries, may, limits)
        yield from context.loads.lost_writes()

    def in_round(self) -> list[Finding]:
        """Check the order of events in the latest round."""
        context = self._context
        return list(
            checks.findings_in_log(of_latest_round(context.log.entries()), context.capabilities)
        )

    def at_rest(self, pool: P) -> list[Finding]:
        """Compare a pool's figures with the process and the server. May wait for the server."""
        account = pool.account
        open_here = len(pool.sockets.open())
        others = (sockets for sockets in self._context.sockets if sockets is not pool.sockets)
        besides = frozenset(number for sockets in others for number in sockets.numbers())
        may_be_dead = self._context.observer.has_killed
        right = open_here.__ge__ if may_be_dead else open_here.__eq__
        at_server = self._context.observer.connections(right, besides)
        at_rest = AtRest(
            reported=self.figures(pool),
            seen={} if account.is_partial else account.figures(waiting=0),
            sockets=open_here,
            peak=pool.sockets.peak,
            failed=account.failed,
            most=account.most,
            at_server=at_server,
            killed=max(0, open_here - at_server) if may_be_dead else 0,
        )
        return list(findings_at_rest(at_rest))

    def may_borrow(self, pool: P) -> bool:
        """Return whether a pool at rest may have lost slots, and must be able to hand out all.

        Borrowing takes time, so a pool that counts its loans is spared where nothing happened at
        which pools lose slots.
        """
        context = self._context
        entries = of_pool(context.log.entries(), pool.account.pool)
        if pool.is_over or context.server_faults.in_force or slots.is_barred(entries):
            return False
        counts = Capability.STATISTICS in context.capabilities
        return not counts or slots.may_have_lost_slots(entries)

    def slots(self, pool: P, most: int) -> int:
        """Return how many connections, up to `most`, a pool at rest must hand out at once."""
        limit = pool.account.limit
        return slots.OF_UNLIMITED if limit is None else max(1, min(limit, most))

    def shown(self, found: list[Finding]) -> list[Finding]:
        """Return findings, the gravest first, with the times that the time line shows.

        A waiter that waits for a slot that the pool has lost is a consequence, and left out.
        """
        entries = self._context.log.entries()
        if any(finding.defect in (Defect.LEAK, Defect.LOST_SLOT) for finding in found):
            waits = [one for one in self._context.witness.found if one.defect is _CONSEQUENCE]
            found = [finding for finding in found if finding not in waits]
        began = entries[0].at if entries and not self._context.is_virtual else 0.0
        ranked = sorted(found, key=lambda finding: list(Defect).index(finding.defect))
        return [finding.since(began) for finding in ranked]

    def figures(self, pool: P) -> Mapping[str, int]:
        """Return the figures that a pool reports; none if it counts nothing."""
        return pool.stats() if Capability.STATISTICS in self._context.capabilities else {}

    def left(self) -> list[Finding]:
        """Return what is left after all pools were closed. May wait for the server."""
        here = sum(sockets.left() for sockets in self._context.sockets)
        there = self._context.observer.connections(lambda seen: seen == 0)
        texts = (
            f"{here} sockets are open after close" if here else "",
            f"the server counts {there} connections after close" if there else "",
        )
        return [Finding(Defect.LEAK, text) for text in texts if text]

    def passwords(self) -> list[Finding]:
        """Return which texts showed a password; each pool's representation is searched too."""
        for pool in self._context.pools:
            self._context.passwords.look("the representation of the pool", repr(pool.raw))
        return self._context.passwords.found()
