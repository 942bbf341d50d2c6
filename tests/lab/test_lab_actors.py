"""Actors start together, and of several that are joined one may have to fail."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from poolspec.invariants.log import Log
from poolspec.lab.aio.actors import AsyncActors, async_actor
from poolspec.lab.aio.clock import RealAsyncClock
from poolspec.lab.roster import OneFails
from poolspec.lab.threads.actors import Actors, actor
from poolspec.lab.threads.clock import RealClock
from poolspec.vocabulary import ErrorKind


def kind_of(error: BaseException) -> ErrorKind | None:
    return ErrorKind.DEADLOCK if isinstance(error, TimeoutError) else None


def ending_with(error: BaseException | None) -> Callable[[], None]:
    def body() -> None:
        if error is not None:
            raise error

    return body


def join(*errors: BaseException | None) -> list[BaseException]:
    """Join an actor for each error, one of which must fail; return the errors it searched."""
    clock = RealClock()
    actors = Actors(clock, Log(clock.now))
    names = [f"actor_{n}" for n in range(len(errors))]
    bodies = zip(names, map(ending_with, errors), strict=True)
    actors.start([actor(body, name=name) for name, body in bodies])
    searched: list[BaseException] = []
    actors.join(names, OneFails(ErrorKind.DEADLOCK, kind_of, searched.append))
    actors.join_all()
    return searched


def test_no_thread_runs_its_actor_before_all_are_started() -> None:
    clock = RealClock()
    actors = Actors(clock, Log(clock.now))
    names = {f"racers-{n}" for n in range(1, 21)}
    seen: list[set[str]] = []

    def body() -> None:
        seen.append({thread.name for thread in threading.enumerate()})
        together.wait(5.0)  # none ends before all have looked

    together = threading.Barrier(len(names))
    actors.start([actor(body, name="racers", count=len(names))])
    actors.join_all()
    assert [one & names for one in seen] == [names] * len(names)


def test_no_task_runs_its_actor_before_all_are_started() -> None:
    names = {f"racers-{n}" for n in range(1, 21)}
    seen: list[set[str]] = []

    async def body() -> None:
        seen.append({task.get_name() for task in asyncio.all_tasks()})
        await asyncio.sleep(0)

    async def main() -> None:
        clock = RealAsyncClock()
        actors = AsyncActors(clock, Log(clock.now))
        actors.start([async_actor(body, name="racers", count=len(names))])
        assert seen == []
        await actors.join_all()

    asyncio.run(main())
    assert [one & names for one in seen] == [names] * len(names)


def test_the_error_of_the_one_that_fails_is_not_raised_and_searched_for_passwords() -> None:
    error = TimeoutError("victim")
    assert join(None, error, None) == [error]


def test_it_is_an_error_if_none_fails() -> None:
    with pytest.raises(AssertionError) as raised:
        join(None, None)
    assert str(raised.value) == (
        "exactly one of actor_0, actor_1 must fail with deadlock, and these did: none"
    )


def test_it_is_an_error_if_two_fail() -> None:
    with pytest.raises(AssertionError, match="and these did: actor_0, actor_1"):
        join(TimeoutError(), TimeoutError())


def test_an_error_of_another_kind_is_raised() -> None:
    with pytest.raises(ValueError, match="odd") as raised:
        join(TimeoutError(), ValueError("odd"))
    assert raised.value.__notes__ == ["raised in actor actor_1"]
