"""The verdict: what the standing invariants say of a test, and what is undone at its end.

The pool's word is never taken alone: log, figures, sockets of the process and the server's list of
connections must agree. What is read here may wait for the server, never for an actor.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from poolspec.invariants import checks
from poolspec.lab.context import Bench, P
from poolspec.lifecycle.teardown import Undoing
from poolspec.vocabulary import Capability

__tracebackhide__ = True  # a failure is shown where the test failed


class Verdict(Bench[P]):
    """What every test is held to, whatever it says itself."""

    def _broken_in_log(self) -> Iterator[str]:
        return checks.violations_in_log(self._log.entries(), self._capabilities)

    def _broken_at_rest(self, pool: P, stats: Mapping[str, int]) -> list[str]:
        """Compare a pool's figures with what process and server have. May wait for the server."""
        open_here = len(pool.sockets.open())
        others = (sockets for sockets in self._counted if sockets is not pool.sockets)
        besides = frozenset(number for sockets in others for number in sockets.numbers())
        at_rest = checks.AtRest(
            stats=stats,
            sockets=open_here,
            peak=pool.sockets.peak,
            at_server=self._observer.connections(open_here.__eq__, besides),
            most_ever=pool.most_ever,
        )
        return list(checks.violations_at_rest(at_rest, self._capabilities))

    def _figures(self, pool: P) -> Mapping[str, int]:
        """Return a pool's figures; none where it counts nothing."""
        return pool.stats() if Capability.STATISTICS in self._capabilities else {}

    def _left(self) -> list[str]:
        """Say what is left after all pools were closed. May wait for the server."""
        here = sum(len(sockets.open()) for sockets in self._counted)
        there = self._observer.connections(lambda seen: seen == 0)
        said = [f"{here} sockets are open after close"] if here else []
        return [*said, f"the server counts {there} connections after close"] if there else said

    def _told(self) -> list[str]:
        """Say who told a password; pools are asked for their representation."""
        for pool in self._pools:
            self._secrets.look("the representation of the pool", repr(pool.raw))
        return self._secrets.told()

    def _let_rest(self) -> None:
        """Let nothing go wrong while it is seen whether anything is missing."""
        self._calls.clear_all()
        self._hooks.are_idle = True

    def clean_up(self, undoing: Undoing) -> None:
        """Undo what both modes' tests have done, after their pools are closed."""
        steps: list[tuple[str, Callable[[], object]]] = [
            ("the server's faults", self._server_faults.clear_all),
            ("the log records", self._journal.stop),
            ("the meter", self._stop_meter),
            ("the test's own connection", self._observer.close),
            ("the targets", self._targets.clean_up),
            *(("a folder", folder.cleanup) for folder in self._folders),
            ("the test's database", partial(self._server.drop_tenant, self._tenant)),
        ]
        for what, step in steps:
            undoing.do(what, step, patience=None)

    def _stop_meter(self) -> None:
        if self._meter is not None:
            self._meter.stop()
