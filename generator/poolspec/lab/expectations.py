"""Expectations that only read: what pools, log, hooks, monitoring and server report.

None of them waits for an actor, so both concurrency modes use them as they are. Each raises
AssertionError with everything that is wrong.
"""

import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import chain
from typing import Any, Generic

from poolspec.invariants import fairness
from poolspec.invariants.complaints import demand
from poolspec.invariants.defects import broken
from poolspec.invariants.log import MAIN
from poolspec.invariants.observer import settle
from poolspec.lab.comparisons import Expected, mismatch
from poolspec.lab.context import C, Context
from poolspec.lab.contract import LoanSeen
from poolspec.lab.diagnosis import Diagnosis
from poolspec.lab.registry import Borrowed, P, PoolUnderTest
from poolspec.lab.repetition import looks_once
from poolspec.lab.timing import failing, taking
from poolspec.vocabulary import Capability, ErrorKind, EventKind, Real

__tracebackhide__ = True  # a failure is shown where the test failed


class Expectations(Generic[P, C]):
    """Checks what can be read at once."""

    def __init__(self, context: Context[P, C], diagnosis: Diagnosis[P, C]) -> None:
        self._context = context
        self._diagnosis = diagnosis

    def stats(self, expected: Mapping[str, Expected], of: P | None) -> None:
        """Check a pool's figures: its own, if it counts, and the lab's. May wait."""
        self.reported_stats(expected, of)
        self.seen_stats(expected, of)

    def reported_stats(self, expected: Mapping[str, Expected], of: P | None) -> None:
        """Check the figures that the pool reports, by `StatName`, if it counts by itself."""
        if Capability.STATISTICS in self._context.capabilities:
            stats = self._context.pools.meant(of).stats()
            demand(*(mismatch(name, value, stats[name]) for name, value in expected.items()))

    def seen_stats(self, expected: Mapping[str, Expected], of: P | None) -> None:
        """Check the figures that the lab counts, by `StatName`.

        The lab may see later than the pool what an actor does, so it waits a short time for the
        right figures. Of a pool that others use too, it has none.
        """
        account = self._context.pools.meant(of).account
        if account.is_partial:
            return

        def wrong() -> list[str | None]:
            seen = account.figures(self._context.witness.number_waiting(account.pool))
            known = {name: value for name, value in expected.items() if name in seen}
            texts = [mismatch(name, value, seen[name]) for name, value in known.items()]
            if any(texts):
                gc.collect()  # closes connections that a pool has left to it
            return texts

        found = settle(wrong, lambda found: not any(found), once=looks_once())
        demand(*(f"by the lab's count, {text}" for text in found if text))

    def served(self, actors: tuple[str, ...], of: P | None) -> None:
        """Check the order in which waiters were served; names the waiters that were overtaken.

        Without a pool, waiters of all pools count.
        """
        entries = self._context.log.entries()
        if of is not None:
            entries = [entry for entry in entries if entry.pool == of.account.pool]
        seen = fairness.served(entries)
        if seen != list(actors):
            broken(fairness.overtaken(entries))
            raise AssertionError(f"expected to be served in the order {list(actors)}, was {seen}")

    def same(self, things: tuple[Borrowed | PoolUnderTest, ...]) -> None:
        """Check that all are one connection, or one pool."""
        if len({_identity(thing) for thing in things}) != 1:
            raise AssertionError(f"expected one and the same, got {things}")

    def different(self, things: tuple[Borrowed | PoolUnderTest, ...]) -> None:
        """Check that no two are the same connection, or pool."""
        if len({_identity(thing) for thing in things}) != len(things):
            raise AssertionError(f"expected all different, got {things}")

    def pools(self, expected: Expected) -> None:
        """Check how many different process-wide pools this test was handed."""
        handed = sum(pool.is_default for pool in self._context.pools)
        demand(mismatch("different pools", expected, handed))

    def events(self, kinds: tuple[EventKind, ...], exactly: bool, of: P | None) -> None:
        """Check the kinds of event that a pool reported: exactly these, or these in order."""
        pools = self._context.pools
        number = pools.number(pools.meant(of))
        entries = self._context.log.entries()
        seen = [entry.kind for entry in entries if entry.by_pool and entry.pool == number]
        rest = iter(seen)
        if seen != list(kinds) if exactly else not all(kind in rest for kind in kinds):
            wanted = ", ".join(kinds)
            raise AssertionError(f"expected events {wanted}; the pool reported {', '.join(seen)}")

    def hooks(self, expected: Mapping[str, Expected]) -> None:
        """Check how often the pool called the hooks that the test gave it."""
        seen = self._context.hooks.calls
        demand(*(mismatch(name, value, seen(name)) for name, value in expected.items()))

    def real(self, parts: tuple[Real, ...]) -> None:
        """Check which parts of the test were real so far."""
        real = self._diagnosis.grade().real()
        if real != set(parts):
            seen = ", ".join(sorted(real)) or "nothing"
            raise AssertionError(f"expected just {', '.join(parts)} to be real, was {seen}")

    def calls(self, expected: Mapping[str, Expected]) -> None:
        """Check how often scripted connections were called, by `Call`."""
        seen = self._context.calls.calls
        demand(*(mismatch(name, value, seen(name)) for name, value in expected.items()))

    def logs(self, expected: Mapping[str, Expected]) -> None:
        """Check how many structured log records the pool wrote, by their event."""
        seen = self._context.log_records.count
        demand(*(mismatch(name, value, seen(name)) for name, value in expected.items()))

    def loans(self, expected: tuple[Mapping[str, Any], ...], module: str, of: P | None) -> None:
        """Check what is on loan, the longest loan first: by whom, for how many seconds, where.

        `where` is whether one of the places that the pool reports lies in the test's `module`.
        """
        seen = self._context.pools.meant(of).loans()
        demand(mismatch("loans", len(expected), len(seen)))
        demand(*chain(*(_loan(e, s, module) for e, s in zip(expected, seen, strict=True))))

    def metrics(self, expected: Mapping[str, Expected], of: P | None) -> None:
        """Check what monitoring reads, by `MetricName`, or `TimingName` and a part."""
        pools = self._context.pools
        seen = self._context.meters.of(pools.number(pools.meant(of))).read()
        demand(*(_metric(name, value, seen.get(name)) for name, value in expected.items()))

    def server(self, expected: Mapping[str, Expected], of: P | None) -> None:
        """Check the server's count of `connections`, and the `peak`. May wait for the server.

        Without a pool, the connections of all pools count.
        """
        context = self._context
        if "connections" in expected:
            wanted = expected["connections"]
            others = (one for one in context.sockets if of is not None and one is not of.sockets)
            besides = frozenset(number for sockets in others for number in sockets.numbers())
            seen = context.observer.connections(
                lambda n: mismatch("", wanted, n) is None, besides, once=looks_once()
            )
            demand(mismatch("connections at the server", wanted, seen))
        if "peak" in expected:
            most = context.peak.most if of is None else of.sockets.peak
            demand(mismatch("most connections at once", expected["peak"], most))

    def took(self, expected: Expected) -> AbstractContextManager[None]:
        """Check how long the block takes, in seconds of the test's clock."""
        return taking(self._context.clock, expected)

    @contextmanager
    def fails(
        self, kind: ErrorKind, took: Expected | None, saying: tuple[str, ...]
    ) -> Iterator[None]:
        """Check how the block fails, what the error says, and how long the block takes."""
        look = self._context.passwords.look_into
        with ExitStack() as stack:
            if took is not None:
                stack.enter_context(self.took(took))
            stack.enter_context(failing(self._context.kind_of, kind, saying, look))
            yield

    @contextmanager
    def may_fail(self, kind: ErrorKind) -> Iterator[None]:
        """Let the block fail in one way, or succeed."""
        try:
            yield
        except Exception as error:
            self._context.passwords.look_into(error)
            if self._context.kind_of(error) is not kind:
                raise


def _loan(expected: Mapping[str, Any], seen: LoanSeen, module: str) -> Iterator[str | None]:
    holder = MAIN if seen.holder == threading.main_thread().name else seen.holder
    if "by" in expected and expected["by"] != holder:
        yield f"on loan by: expected {expected['by']}, was {holder}"
    if "seconds" in expected:
        yield mismatch("on loan for", expected["seconds"], seen.seconds)
    known = any(place.startswith(f"{module}:") for place in seen.where)
    if expected.get("where", known) is not known:
        yield f"the pool reports these places of a loan: {', '.join(seen.where) or 'none'}"


def _metric(name: str, expected: Expected, seen: float | None) -> str | None:
    return f"{name}: not reported" if seen is None else mismatch(name, expected, seen)


def _identity(thing: Borrowed | PoolUnderTest) -> int:
    number = getattr(thing, "number", None)
    return id(thing.raw) if number is None else int(number)
