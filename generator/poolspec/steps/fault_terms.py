"""The shape of a row of the registry of faults: a kind of fault, its terms, needs and words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Flag, auto

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.spec.values import Value
from poolspec.vocabulary import Capability, Fault, ServerSetting


class Terms(Flag):
    """The keys that describe a fault, besides its kind."""

    NONE = 0
    VICTIM = auto()
    """Which connection it is about: must be said."""
    DURATION = auto()
    """How long a call takes: must be said."""
    CALLS = auto()
    """How many calls it is for, and how many succeed first: may be said."""
    LIMIT = auto()
    """How many connections the server accepts: must be said."""
    SERVER = auto()
    """Which of the test's servers it is about: may be said."""
    TIME = auto()
    """How long it lasts: may be said. Every fault that can be healed has it."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A row: everything about one kind of fault."""

    fault: Fault
    sentence: str
    """Its sentence, without the end; with the values of the step in `{on}` and the like."""
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

    def say(self, on: str | None, server: str | None, given: Mapping[str, Value]) -> str:
        """Return the sentence of a step, without its end; `given` are its terms by argument."""
        said = self.sentence.format(
            on=code(on or ""),
            seconds=amounts.seconds(given.get("seconds", 0.0)),
            limit=amounts.value(given.get("limit", 0)),
            server=f"{server} server" if server else "server",
            place=f"the {server} server" if server else "an address at which no server listens",
        )
        return "".join((said, *self._ends(given)))

    def _ends(self, given: Mapping[str, Value]) -> Iterator[str]:
        """Yield when the fault ends, and how many calls it spares."""
        if "times" in given:
            yield f", {amounts.value(given['times'])} times"
        elif Terms.CALLS in self.terms and "lasts" not in given:
            yield ", until healed"
        if "after" in given:
            yield f", after {amounts.value(given['after'])} that succeed"
        if "lasts" in given:
            yield f", for {amounts.seconds(given['lasts'])}"
