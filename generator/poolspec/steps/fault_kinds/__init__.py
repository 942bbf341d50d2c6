"""The registry of faults: a row for each kind, with its terms, its needs and its words."""

from poolspec.steps.fault_kinds.calls import CALLS
from poolspec.steps.fault_kinds.kind import FaultKind, Terms
from poolspec.steps.fault_kinds.network import NETWORK
from poolspec.steps.fault_kinds.server import SERVER
from poolspec.vocabulary import Fault

__all__ = ["FAULTS", "FaultKind", "Terms"]

_ROWS = {kind.fault: kind for kind in (*SERVER, *NETWORK, *CALLS)}
FAULTS = {fault: _ROWS[fault] for fault in Fault}
"""All kinds of faults, in the order of the vocabulary."""
