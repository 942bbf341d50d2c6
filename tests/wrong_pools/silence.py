"""Pools that wait for each silent connection, hand out one in doubt, or doubt too much."""

from tests.wrong_pools.faults import noticed_by

from steadypool._core.core import Core
from steadypool._core.entries import Answer, Loss, PoolEntry


@noticed_by("silent_lines.an_acquire_waits_for_one_silent_connection")
class WaitsForEachSilentConnection(Core):
    """Concludes nothing from a connection that is silent."""

    def doubt(self, since: float, to_close: list[PoolEntry]) -> None:
        pass


@noticed_by("silent_lines.a_lost_statement_shows_a_silent_line")
class IgnoresLostStatements(Core):
    """Takes a statement without an answer for a connection that the server closed."""

    def note_loss(self, entry: PoolEntry, loss: Loss, to_close: list[PoolEntry]) -> None:
        super().note_loss(entry, Loss.KNOWN, to_close)


@noticed_by("silent_lines.an_unproven_connection_is_not_handed_out_again")
class TrustsEveryReturn(Core):
    """Takes the return of a connection for a sign of life."""

    def _is_current(self, entry: PoolEntry) -> bool:
        if entry.generation >= self._cleared:
            entry.generation = self.generation
        return super()._is_current(entry)


@noticed_by("silent_lines.a_connection_that_answered_later_stays")
class DoubtsEveryConnection(Core):
    """Closes all connections on loan at the first silent one."""

    def _is_current(self, entry: PoolEntry) -> bool:
        return entry.generation == self.generation


@noticed_by("silent_lines.a_reset_costs_the_other_connections_nothing")
class TakesAResetForSilence(Core):
    """Doubts all others when the server has closed a connection."""

    def note_loss(self, entry: PoolEntry, loss: Loss, to_close: list[PoolEntry]) -> None:
        self.doubt(entry.since, to_close)


@noticed_by("silent_lines.a_housekeeper_finds_a_silent_line")
class NeverProbes(Core):
    """Makes no round trips in maintenance."""

    def unproven(self, now: float) -> list[tuple[PoolEntry, float]]:
        return []


@noticed_by("silent_lines.a_check_by_the_housekeeper_is_no_use")
class CountsProbesAsUse(Core):
    """Takes a round trip of maintenance for use."""

    def probed(self, entry: PoolEntry, answer: Answer, now: float) -> None:
        entry.since = now
        super().probed(entry, answer, now)
