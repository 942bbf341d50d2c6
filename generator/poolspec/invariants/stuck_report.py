"""The stuck report: who waits for whom in a test that makes no progress, by the lab's own log.

Nothing here takes a lock or calls the pool, because a signal handler asks while the test may be
anywhere.
"""

from collections import Counter
from collections.abc import Callable, Sequence, Set
from typing import Protocol

from poolspec.invariants.holders import Connections
from poolspec.invariants.log import MAIN, Entry
from poolspec.invariants.marks import CONNECT_FAILED, SEEN_WAITING
from poolspec.vocabulary import ActorState, EventKind

_NAMED = 5
"""How many actors are named; of the rest, only the number is shown."""


_ASKING = (EventKind.CHECKOUT_STARTED, SEEN_WAITING, CONNECT_FAILED)


class AnyActors(Protocol):
    """The actors of a test, in either concurrency mode."""

    awaits: str
    """What the test itself waits for; empty if for nothing."""

    is_all: bool
    """Whether these are all actors of the test, as far as is known."""

    def members(self, name: str) -> list[str]:
        """Return the names of an actor's threads or tasks."""

    def unfinished(self) -> list[str]:
        """Return the actors that have not ended. Takes no lock."""

    def raise_kept(self) -> None:
        """Raise an error that an actor ended with, if there is one."""


def stuck_report(entries: Sequence[Entry], awaits: str) -> str:
    """Return who waits for what, and who holds how many connections; empty if none does."""
    asks = _asking(entries)
    held = Counter(_held(entries).values())
    parts = [f"{MAIN} waits {awaits}"] if awaits else []
    if asks:
        parts.append(f"{_listed(asks)} wait{'s' * (len(asks) == 1)} for a connection")
    parts += [
        f"{name} holds {number} connection{'s' * (number > 1)}"
        for name, number in held.most_common(_NAMED)
    ]
    return ", ".join(parts)


def awaited(
    actors: AnyActors,
    state: ActorState,
    name: str | None,
    count: int,
    seen: Callable[[], set[str]],
) -> Callable[[], bool]:
    """Return a function that checks whether an actor, or at least `count` of them, are in a state.

    Once they can never be, it raises an error that an actor ended with, or else AssertionError with
    the reason.
    """
    wanted = actors.members(name) if name else []
    actors.awaits = f"until {f'{name} is' if name else f'{count} actors are'} {state}"

    def holds() -> bool:
        able = actors.unfinished()  # read first: an actor that ends after this was seen before
        there = seen()
        if there.issuperset(wanted) if name else len(there) >= count:
            actors.awaits = ""
            return True
        if why := _never(state, wanted, count if actors.is_all else 0, there, there.union(able)):
            actors.raise_kept()
            raise AssertionError(why)
        return False

    return holds


def missed(
    actors: AnyActors,
    state: ActorState,
    name: str | None,
    count: int,
    there: Set[str],
    seconds: float,
) -> str:
    """Return the text for a wait whose time is over: the state, and the actors that miss it."""
    actors.awaits = ""
    missing = [one for one in (actors.members(name) if name else ()) if one not in there]
    if name:
        what = f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} not {state}"
    else:
        what = f"{len(there)} of {count} actors {'is' if len(there) == 1 else 'are'} {state}"
    return f"{what} after {seconds:g} s"


def _never(
    state: ActorState, wanted: Sequence[str], count: int, there: Set[str], able: Set[str]
) -> str:
    """Return why actors, or a number of them, never reach a state; empty if they still may."""
    lost = [name for name in wanted if name not in able]
    if lost:
        return f"{_listed(lost)} ended, and {'is' if len(lost) == 1 else 'are'} never {state}"
    if len(able) < count:
        return f"{count} actors are never {state}: {len(there)} are, and the others ended"
    return ""


def _asking(entries: Sequence[Entry]) -> list[str]:
    """The actors whose last entry is a request for a connection, or that it waits."""
    last = {entry.actor: entry.kind for entry in entries if not entry.by_pool}
    return sorted(actor for actor, kind in last.items() if kind in _ASKING)


def _held(entries: Sequence[Entry]) -> dict[int, str]:
    """The borrowers of the connections on loan, by the connection's first number at the server."""
    held: dict[int, str] = {}
    connections = Connections()
    for entry in entries:
        connection = None if entry.by_pool else connections.of(entry)
        if connection is None:
            continue
        if entry.kind == EventKind.CHECKED_OUT:
            held[connection] = entry.actor
        elif entry.kind == EventKind.CHECKED_IN:
            held.pop(connection, None)
    return held


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
