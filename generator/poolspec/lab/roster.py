"""The actors of a test by name, in either concurrency mode: which ran, which ended, and how.

An actor has one or more members, each a thread or a task. The error with which a member ended is
kept until the test waits for the actor, and is raised there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from poolspec.vocabulary import ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed


class AnyActor(Protocol):
    """An actor to start."""

    @property
    def name(self) -> str:
        """The actor's name."""

    def members(self) -> list[str]:
        """Return the names of its threads or tasks."""


def member_names(actor: str, count: int) -> list[str]:
    """Return the names of an actor's members."""
    return [actor] if count == 1 else [f"{actor}-{n + 1}" for n in range(count)]


@dataclass(frozen=True, slots=True)
class OneFails:
    """How exactly one of several actors must fail."""

    kind: ErrorKind
    kind_of: Callable[[BaseException], ErrorKind | None]
    look_into: Callable[[BaseException], object]
    """Searches an error for passwords."""


class Roster:
    """The names and ends of all actors of a test."""

    awaits = ""
    """What the test itself waits for; empty if for nothing."""
    is_all = True
    """Whether these are all actors of the test, as far as is known."""

    def __init__(self) -> None:
        self._members: dict[str, list[str]] = {}
        self._running: dict[str, list[str]] = {}
        """The members of each actor, without the last ones if they have ended."""
        self._errors: dict[str, BaseException] = {}
        self._done: set[str] = set()

    def members(self, name: str) -> list[str]:
        """Return the names of an actor's members."""
        return self._members[name]

    def done(self) -> set[str]:
        """Return the members that have ended."""
        return set(self._done)

    def unfinished(self) -> list[str]:
        """Return the members that have not ended. Takes no lock."""
        started = [member for members in list(self._members.values()) for member in members]
        return [member for member in started if member not in self._done]

    def raise_kept(self) -> None:
        """Raise an error that an actor ended with, if there is one."""
        for member in list(self._errors):
            self._raise(member)

    def _raise(self, member: str) -> None:
        error = self._errors.pop(member, None)
        if error is not None:
            error.add_note(f"raised in actor {member}")
            raise error

    def _check_one(self, members: Sequence[str], wanted: OneFails) -> None:
        """Check that exactly one member has ended with an error, of the kind that is wanted.

        An error of another kind is raised.
        """
        failed = [member for member in members if member in self._errors]
        for member in failed:
            if wanted.kind_of(self._errors[member]) is not wanted.kind:
                self._raise(member)
        if len(failed) != 1:
            seen = ", ".join(failed) or "none"
            whole = f"exactly one of {', '.join(members)} must fail with {wanted.kind}"
            raise AssertionError(f"{whole}, and these did: {seen}")
        wanted.look_into(self._errors.pop(failed[0]))

    def _enlist(self, actor: AnyActor) -> list[str]:
        """Note the members of an actor. An actor that has ended may be started again."""
        members = self._members[actor.name] = actor.members()
        self._running[actor.name] = members[:]
        self._done.difference_update(members)
        return members

    def _is_done(self, name: str) -> bool:
        running = self._running[name]
        while running and running[-1] in self._done:
            running.pop()
        return not running
