"""A row of the registry of faults."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any

from poolspec.prose import amounts
from poolspec.vocabulary import Capability, Direction, Fault, ServerSetting, usual_direction

Given = Mapping[str, Any]
"""The terms of a fault that a test gives: numbers, and a direction."""
_NUMBERS = ("rate", "size", "bytes")
_WAYS = {
    Direction.UPSTREAM: "to the server",
    Direction.DOWNSTREAM: "from the server",
    Direction.BOTH: "of both sides",
}
_CLOSERS = {
    Direction.UPSTREAM: "the pool",
    Direction.DOWNSTREAM: "the server",
    Direction.BOTH: "either side",
}


class Terms(Flag):
    """The keys that describe a fault, besides its kind."""

    NONE = 0
    VICTIM = auto()
    """The connection that it affects; required."""
    DURATION = auto()
    """How long a call takes; required."""
    CALLS = auto()
    """How many calls it affects, and how many succeed first; optional."""
    LIMIT = auto()
    """How many connections the server accepts; required."""
    SERVER = auto()
    """The server of the test that it affects; optional."""
    SOME = auto()
    """The connections that it affects; optional, all if left out."""
    DIRECTION = auto()
    """The direction of the line that it affects; optional."""
    DELAY = auto()
    """How late the effect comes; required."""
    LATER = auto()
    """How late the effect comes; optional, at once if left out."""
    JITTER = auto()
    """By how much the delay varies; optional."""
    RATE = auto()
    """How many kilobytes pass in a second; required."""
    PIECE = auto()
    """How many bytes are sent at once; required."""
    BYTES = auto()
    """How many bytes pass; required."""
    TIME = auto()
    """How long it lasts; optional. Every fault that can be healed has it."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A row: everything about one kind of fault."""

    fault: Fault
    sentence: str
    """Its sentence, without the end; names in braces are parts that depend on the step."""
    healed: str = ""
    """The sentence of its healing; empty for a fault that is permanent."""
    terms: Terms = Terms.NONE
    needs: Capability | None = None
    of_server: bool = False
    """It needs a server, which scripted connections do not have."""
    scripted: bool = False
    """It needs scripted connections."""
    threads_only: bool = False
    """It blocks the caller, and so would block an event loop with all tasks in it."""
    real_time: bool = False
    """It takes real time, whichever clock the test has."""
    setting: ServerSetting | None = None
    """The server's setting without which it never ends."""

    def __post_init__(self) -> None:
        if self.healed:
            object.__setattr__(self, "terms", self.terms | Terms.TIME)

    def say(self, on: tuple[str, ...], given: Given) -> str:
        """Return the sentence of a step, without its end; `given` are its terms by argument."""
        said = self.sentence.format_map(self._pieces(on, given))
        return "".join((said, *self._ends(given)))

    def _pieces(self, on: tuple[str, ...], given: Given) -> dict[str, str]:
        labels, server = amounts.labels(on), given.get("server")
        direction = Direction(given.get("direction") or usual_direction(self.fault))
        delay = amounts.seconds(given["delay"]) if "delay" in given else ""
        return {
            "on": labels,
            "all": labels or "every connection",
            "open": labels or "every connection that is open",
            "way": _WAYS[direction],
            "closer": _CLOSERS[direction],
            "server": f"{server} server" if server else "server",
            "place": f"the {server} server" if server else "an address at which no server listens",
            "seconds": amounts.seconds(given.get("seconds", 0.0)),
            "delay": delay,
            "jitter": f" ± {amounts.seconds(given['jitter'])}" if "jitter" in given else "",
            "after": f" after {delay}" if delay else "",
            "apart": f", {delay} apart" if delay else "",
            "closing": f", and close the connections after {delay}" if delay else "",
            **{name: amounts.value(given.get(name, 0)) for name in ("limit", *_NUMBERS)},
        }

    def _ends(self, given: Given) -> Iterator[str]:
        """Yield when the fault ends, and how many calls it spares."""
        if "times" in given:
            yield f", {amounts.value(given['times'])} times"
        elif Terms.CALLS in self.terms and "lasts" not in given:
            yield ", until healed"
        if "after" in given:
            yield f", after {amounts.value(given['after'])} that succeed"
        if "lasts" in given:
            yield f", for {amounts.seconds(given['lasts'])}"
