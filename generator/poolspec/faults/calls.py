"""Faults of calls: of connects, of listeners, and of the methods of scripted connections.

`CallFaults` only plans the next call, and counts calls. The lab's connects, its listener and the
scripted connections ask it, in both concurrency modes.
"""

import socket
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from poolspec.drivers.plan import Hang, Plan
from poolspec.lifecycle.body_errors import BodyInterrupt
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import CALL_FAULTS, Call, Fault, Manner

_NO_FAULT = Plan()


@dataclass(slots=True)
class _InForce:
    """A fault that is in force."""

    seconds: float
    spared: int
    """Calls that succeed first."""
    left: float
    """Calls that it then affects."""
    hang: Hang

    def strikes(self) -> bool:
        """Count a call, and return whether it fails."""
        if self.spared > 0:
            self.spared -= 1
            return False
        self.left -= 1
        return self.left >= 0


class CallFaults:
    """The faults of calls that are in force. Safe to use from any thread.

    `failure` makes the error that a call of the driver raises when it fails.
    """

    def __init__(self, failure: Callable[[Call, str], BaseException]) -> None:
        self._failure = failure
        self._lock = FreshLock()
        self._in_force: dict[Fault, _InForce] = {}
        self._calls: Counter[str] = Counter()

    def plan(self, call: Call) -> Plan:
        """Count a call and plan it; this uses up a fault that has a number of calls."""
        with self._lock:
            self._calls[call] += 1
            if not self._in_force:
                return _NO_FAULT
            manners = {
                CALL_FAULTS[fault][1]: state
                for fault, state in self._in_force.items()
                if CALL_FAULTS[fault][0] is call and state.strikes()
            }
        slow, hangs = manners.get(Manner.SLOW), manners.get(Manner.HANGS)
        return Plan(
            slow.seconds if slow else 0.0,
            hangs.hang if hangs else None,
            self._error(call, manners.keys()),
        )

    def holds(self, call: Call) -> bool:
        """Return whether a fault may delay the next call, or let it hang."""
        held = (Manner.SLOW, Manner.HANGS)
        with self._lock:
            return any(
                CALL_FAULTS[fault][0] is call and CALL_FAULTS[fault][1] in held
                for fault in self._in_force
            )

    def calls(self, call: str) -> int:
        """Return how often a call was made."""
        return self._calls[call]

    def set(self, fault: Fault, *, seconds: float, times: int | None, after: int = 0) -> None:
        """Begin a fault."""
        left = float("inf") if times is None else times
        with self._lock:
            self._in_force[fault] = _InForce(seconds, after, left, Hang())

    def clear(self, fault: Fault) -> None:
        """End a fault; a hanging call continues."""
        with self._lock:
            ended = self._in_force.pop(fault)
        ended.hang.end()

    def clear_all(self) -> None:
        """End all faults."""
        for fault in list(self._in_force):
            self.clear(fault)

    def _error(self, call: Call, manners: Collection[Manner]) -> BaseException | None:
        if Manner.INTERRUPTED in manners:
            return BodyInterrupt(f"the {call} is interrupted, as the test asked")
        if Manner.FAILS not in manners:
            return None
        message = f"the {call} fails, as the test asked"
        if call is Call.LISTENER:
            return RuntimeError(message)
        if call is Call.NAME_LOOKUP:
            return socket.gaierror(socket.EAI_AGAIN, "the look-up fails, as the test asked")
        return self._failure(call, message)
