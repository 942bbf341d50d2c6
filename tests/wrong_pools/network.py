"""Pools that hand out connections which the network has closed or made silent."""

from tests.wrong_pools.checks import BelievesEveryCheck
from tests.wrong_pools.faults import noticed_by
from tests.wrong_pools.silence import IgnoresLostStatements


@noticed_by("network.connections_that_were_reset_are_replaced")
class HandsOutResetConnections(BelievesEveryCheck):
    """Checks a connection that was reset, and hands it out."""


@noticed_by("network.idle_connections_that_a_cut_has_closed_are_replaced")
class HandsOutCutConnections(BelievesEveryCheck):
    """Checks a connection that a cut has closed, and hands it out."""


@noticed_by("network.half_open_connections_cost_one_wait")
class HandsOutHalfOpenConnections(IgnoresLostStatements):
    """Hands out the other connections when one gets no answer."""
