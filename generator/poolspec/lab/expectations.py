"""Expectations that only read: what pools, log, hooks, monitoring and server have to say.

None of them waits for an actor, so they are the same words for threads and for tasks. Each raises
AssertionError with all that is wrong.
"""

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import chain
from typing import Any

from poolspec.invariants import checks
from poolspec.invariants.complaints import demand
from poolspec.invariants.log import MAIN
from poolspec.lab.comparisons import Expected, mismatch
from poolspec.lab.context import Bench, Borrowed, P, PoolUnderTest
from poolspec.lab.contract import LoanSeen
from poolspec.lab.timing import failing, taking
from poolspec.vocabulary import ErrorKind, EventKind, Real

__tracebackhide__ = True  # a failure is shown where the test failed


class Expectations(Bench[P]):
    """The words of a test that check what can be read at once."""

    def expect_stats(self, **expected: Expected) -> None:
        """Check the pool's own figures, by `StatName`."""
        stats = self._only_pool().stats()
        demand(*(mismatch(name, value, stats[name]) for name, value in expected.items()))

    def expect_served(self, *actors: str) -> None:
        """Check the order in which actors were given what they had queued for."""
        seen = checks.served(self._log.entries())
        if seen != list(actors):
            raise AssertionError(f"expected to be served in the order {list(actors)}, was {seen}")

    def expect_same(self, *things: Borrowed | PoolUnderTest) -> None:
        """Check that all are one connection, or one pool."""
        if len({_identity(thing) for thing in things}) != 1:
            raise AssertionError(f"expected one and the same, got {things}")

    def expect_different(self, *things: Borrowed | PoolUnderTest) -> None:
        """Check that no two are the same connection, or pool."""
        if len({_identity(thing) for thing in things}) != len(things):
            raise AssertionError(f"expected all different, got {things}")

    def expect_pools(self, expected: Expected) -> None:
        """Check how many different pools this test was given."""
        demand(mismatch("different pools", expected, len(self._pools)))

    def expect_events(self, *kinds: EventKind, exactly: bool) -> None:
        """Check the kinds of event that the pool told: just these, or these in this order."""
        told = [entry.kind for entry in self._log.entries() if entry.by_pool]
        rest = iter(told)
        if told != list(kinds) if exactly else not all(kind in rest for kind in kinds):
            wanted = ", ".join(kinds)
            raise AssertionError(f"expected events {wanted}; the pool told {', '.join(told)}")

    def expect_hooks(self, **expected: Expected) -> None:
        """Check how often the hooks that the test gave to its pool were called."""
        demand(*(mismatch(n, value, self._hooks.calls(n)) for n, value in expected.items()))

    def expect_real(self, *parts: Real) -> None:
        """Check what was real so far, and that nothing else was."""
        real = self.grade().real()
        if real != set(parts):
            seen = ", ".join(sorted(real)) or "nothing"
            raise AssertionError(f"expected just {', '.join(parts)} to be real, was {seen}")

    def expect_calls(self, **expected: Expected) -> None:
        """Check how often connections were asked for things, by `Call`."""
        demand(*(mismatch(n, value, self._calls.calls(n)) for n, value in expected.items()))

    def expect_logs(self, **expected: Expected) -> None:
        """Check how many structured log records the pool wrote, by their event."""
        demand(*(mismatch(n, value, self._journal.count(n)) for n, value in expected.items()))

    def expect_loans(self, *expected: Mapping[str, Any]) -> None:
        """Check what is on loan, the longest loan first: by whom, for how many seconds, where.

        `where` says whether one of the places that the pool tells lies in the calling test.
        """
        seen = self._only_pool().loans()
        module = sys._getframe(1).f_code.co_filename
        demand(mismatch("loans", len(expected), len(seen)))
        demand(*chain(*(_loan(e, s, module) for e, s in zip(expected, seen, strict=True))))

    def expect_metrics(self, expected: Mapping[str, Expected]) -> None:
        """Check what monitoring sees, by `MetricName`, or `TimingName` and a part."""
        assert self._meter is not None
        seen = self._meter.read()
        demand(*(_metric(name, value, seen.get(name)) for name, value in expected.items()))

    def took(self, expected: Expected) -> AbstractContextManager[None]:
        """Check how long the block takes, in seconds of the test's clock."""
        return taking(self._clock, expected)

    @contextmanager
    def fails(
        self,
        kind: ErrorKind,
        *,
        took: Expected | None = None,
        saying: tuple[str, ...] = (),
        naming: tuple[str, ...] = (),
    ) -> Iterator[None]:
        """Check that the block fails in this way, what it says, and how long it takes to."""
        look = self._secrets.look_into
        with ExitStack() as stack:
            if took is not None:
                stack.enter_context(self.took(took))
            stack.enter_context(failing(self._adapter.kind_of, kind, (*saying, *naming), look))
            yield

    def _check_server(self, connections: Expected | None, peak: Expected | None) -> None:
        if connections is not None:
            wanted = connections
            seen = self._observer.connections(lambda n: mismatch("", wanted, n) is None)
            demand(mismatch("connections at the server", wanted, seen))
        if peak is not None:
            demand(mismatch("most connections at once", peak, self._only_pool().sockets.peak))


def _loan(expected: Mapping[str, Any], seen: LoanSeen, module: str) -> Iterator[str | None]:
    holder = MAIN if seen.holder == threading.main_thread().name else seen.holder
    if "by" in expected and expected["by"] != holder:
        yield f"on loan by: expected {expected['by']}, was {holder}"
    if "seconds" in expected:
        yield mismatch("on loan for", expected["seconds"], seen.seconds)
    known = any(place.startswith(f"{module}:") for place in seen.where)
    if expected.get("where", known) is not known:
        yield f"the pool tells these places of a loan: {', '.join(seen.where) or 'none'}"


def _metric(name: str, expected: Expected, seen: float | None) -> str | None:
    return f"{name}: not reported" if seen is None else mismatch(name, expected, seen)


def _identity(thing: Borrowed | PoolUnderTest) -> int:
    number = getattr(thing, "number", None)
    return id(thing.raw) if number is None else int(number)
