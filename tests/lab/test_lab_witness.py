"""The witness logs each acquire and release, and which acquires wait, in both concurrency modes."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import pytest
from tests.lab.stepped_actors import Actors, Parts

from poolspec.drivers.contract import Make
from poolspec.invariants.connection import Sockets
from poolspec.invariants.fairness import overtaken
from poolspec.invariants.log import Log
from poolspec.invariants.marks import (
    CONNECT_HELD,
    CONNECT_RESUMED,
    LATE_RELEASE,
    RELEASE_FAILED,
    SEEN_WAITING,
)
from poolspec.vocabulary import Concurrency, ErrorKind, EventKind, StatName
from poolspec.witness.account import Account
from poolspec.witness.busy import BusyClock
from poolspec.witness.calls import ACQUIRE, PoolCall, current_call, running
from poolspec.witness.witness import BESIDE_OTHERS, Witness

STARTED, OUT = EventKind.CHECKOUT_STARTED, EventKind.CHECKED_OUT
IN, FAILED = EventKind.CHECKED_IN, EventKind.CHECKOUT_FAILED


class Time:
    """The time of a test, which the test sets."""

    now = 0.0


class Observed:
    """A witness with two pools, its log, and actors that acquire."""

    def __init__(self, mode: Concurrency) -> None:
        self.actors = Actors(mode)
        self.time = Time()
        self.busy = BusyClock(LookingClock(self))
        self.log = Log(lambda: self.time.now)
        self.errors: list[BaseException] = []
        self.witness = Witness(
            self.log, lambda: self.time.now, kind_of, self.errors.append, self.busy.calls
        )
        self.account, self.other = (account(number) for number in (0, 1))
        self.witness.accounts = lambda: (self.account, self.other)

    def acquire(self, name: str, *, pool: int = 0, inside: Any = None) -> Any:
        """Start an actor whose acquire is under way, inside a piece of the lab's code if given."""
        return self.actors.start(name, self._acquire(self.account_of(pool), inside))

    def account_of(self, pool: int) -> Account:
        return self.other if pool else self.account

    def _acquire(self, account: Account, inside: AbstractContextManager[object] | None) -> Parts:
        with self.witness.acquiring(account) as acquiring:
            with inside or nullcontext():
                yield
            if inside is not None:
                yield
            acquiring.served(7, "")

    def release(self, error: Exception | None = None, seconds: float = 0.0) -> Parts:
        """Release a connection in two parts."""
        with self.witness.releasing(self.account, 7):
            yield
            self.time.now += seconds
            if error is not None:
                raise error

    def waiting(self) -> set[str]:
        """Let the witness look at a moment of rest; return the actors that wait."""
        self.witness.rest()
        return self.witness.waiting()

    def logged(self) -> list[tuple[str, str]]:
        """Return actor and kind of each entry."""
        return [(entry.actor, str(entry.kind)) for entry in self.log.entries()]

    def sights(self, actor: str) -> list[str]:
        """Return the details of the entries by which an actor was seen waiting."""
        entries = self.log.entries()
        return [e.detail for e in entries if e.kind == SEEN_WAITING and e.actor == actor]


class Wire:
    """A connection for the account of sockets."""


MAKE = Make("tcp", "none")


class LookingClock:
    """A clock whose waits take no time. The witness looks during each of them."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self.seen: list[set[str]] = []

    def look(self) -> Any:
        self.seen.append(self._observed.waiting())
        return self._later() if self._observed.actors.is_asyncio else None

    async def _later(self) -> bool:
        self.seen.append(self._observed.waiting())
        return True

    def sleep(self, seconds: float) -> Any:
        return self.look()

    def waiter(self) -> "LookingClock":
        return self

    def wait(self, deadline: float | None) -> Any:
        return self.look()


def account(pool: int) -> Account:
    return Account(pool, Sockets(lambda *_, **__: None), size=2, max_overflow=0)


def kind_of(error: BaseException) -> ErrorKind | None:
    return ErrorKind.TIMEOUT if isinstance(error, TimeoutError) else None


@pytest.fixture(params=[Concurrency.THREADS, Concurrency.ASYNCIO], ids=str)
def observed(request: pytest.FixtureRequest) -> Iterator[Observed]:
    observed = Observed(request.param)
    yield observed
    observed.actors.close()


def test_an_acquire_that_has_not_returned_is_seen_waiting_at_rest(observed: Observed) -> None:
    observed.acquire("early")
    assert observed.witness.waiting() == set()
    assert observed.waiting() == {"early"}
    assert observed.logged() == [("early", STARTED), ("early", SEEN_WAITING)]


def test_an_acquire_that_keeps_waiting_is_logged_once(observed: Observed) -> None:
    observed.acquire("early")
    assert observed.waiting() == observed.waiting() == {"early"}
    assert observed.sights("early") == [""]


def test_an_acquire_that_is_served_no_longer_waits(observed: Observed) -> None:
    early = observed.acquire("early")
    assert observed.waiting() == {"early"}
    early.step()
    assert observed.waiting() == set()
    assert observed.logged()[-1] == ("early", OUT)
    assert observed.account.in_use == 1


@pytest.mark.parametrize("inside", ["a connect", "a hook"])
def test_an_acquire_inside_code_of_the_lab_is_not_waiting(observed: Observed, inside: str) -> None:
    witness = observed.witness
    code = {"a connect": witness.connecting(observed.account), "a hook": witness.calls.busy()}
    early = observed.acquire("early", inside=code[inside])
    assert observed.waiting() == set()
    early.step()
    assert observed.waiting() == {"early"}


@pytest.mark.parametrize("wait", ["a slow hook", "a scripted call"])
def test_an_acquire_is_not_waiting_while_the_lab_waits_on_the_clock_for_it(
    observed: Observed, wait: str
) -> None:
    busy = observed.busy

    def parts() -> Parts:
        with observed.witness.acquiring(observed.account):
            done = busy.sleep(1.0) if wait == "a slow hook" else busy.waiter().wait(None)
            if observed.actors.is_asyncio:
                with pytest.raises(StopIteration):
                    done.send(None)
            yield

    observed.actors.start("early", parts())
    assert busy.clock.seen == [set()] * (2 if observed.actors.is_asyncio else 1)
    assert observed.waiting() == {"early"}


def test_a_connect_outside_any_call_makes_no_acquire_busy(observed: Observed) -> None:
    observed.acquire("early")
    with observed.witness.connecting(observed.account):
        assert observed.account.connecting == 1
        assert observed.waiting() == {"early"}


def test_a_task_that_an_acquire_starts_inherits_it() -> None:
    observed = Observed(Concurrency.ASYNCIO)
    witness = observed.witness

    async def connect(go_on: asyncio.Event) -> PoolCall | None:
        with witness.connecting(observed.account):
            await go_on.wait()
        return current_call()

    async def check() -> None:
        go_on = asyncio.Event()
        with witness.acquiring(observed.account) as acquiring:
            task = asyncio.create_task(connect(go_on))
            await asyncio.sleep(0)
            assert observed.waiting() == set()
            go_on.set()
            assert await task is acquiring.call
            assert len(observed.waiting()) == 1
        assert current_call() is None

    asyncio.run(check())
    observed.actors.close()


def test_an_overtaken_acquire_is_logged_again_once(observed: Observed) -> None:
    observed.acquire("early")
    assert observed.waiting() == {"early"}
    observed.acquire("late").step()
    assert observed.waiting() == observed.waiting() == {"early"}
    assert observed.sights("early") == ["", ""]
    assert len(list(overtaken(observed.log.entries()))) == 1


def test_an_acquire_that_began_before_the_sight_overtakes_no_one(observed: Observed) -> None:
    observed.acquire("early")
    other = observed.acquire("other")
    assert observed.waiting() == {"early", "other"}
    other.step()
    assert observed.waiting() == {"early"}
    assert observed.sights("early") == [""]


def test_an_acquire_of_another_pool_overtakes_no_one(observed: Observed) -> None:
    observed.acquire("early")
    assert observed.waiting() == {"early"}
    observed.acquire("late", pool=1).step()
    assert observed.waiting() == {"early"}
    assert observed.sights("early") == [""]
    assert [observed.witness.number_waiting(pool) for pool in (0, 1)] == [1, 0]


def test_an_acquire_beside_a_release_waits_but_not_for_certain(observed: Observed) -> None:
    observed.acquire("early")
    releaser = observed.actors.start("releaser", observed.release())
    assert observed.waiting() == {"early"}
    assert observed.sights("early") == [BESIDE_OTHERS]
    releaser.step()
    assert observed.waiting() == {"early"}
    assert observed.sights("early") == [BESIDE_OTHERS, ""]


def test_an_acquire_beside_io_of_another_is_not_certain_to_wait(observed: Observed) -> None:
    observed.acquire("early")
    observed.acquire("late")
    early, late = observed.witness.calls.under_way()
    observed.witness.rest(besides=[late])
    assert observed.witness.waiting() == {early.actor}
    assert observed.sights("early") == [BESIDE_OTHERS]


def test_nothing_is_logged_as_waiting_if_something_happened_since_the_look(
    observed: Observed,
) -> None:
    observed.acquire("early")
    (call,) = observed.witness.calls.under_way()
    moment = observed.witness.moment()
    observed.log.add("something")
    assert not observed.witness.see_all([call], [], moment)
    moment = observed.witness.moment()
    with running(call), observed.witness.calls.busy():
        pass
    assert not observed.witness.see_all([call], [], moment)
    assert observed.witness.see_all([call], [], observed.witness.moment())
    assert observed.witness.waiting() == {"early"}


@pytest.mark.parametrize(("error", "timeouts"), [(TimeoutError(), 1), (OSError(), 0)])
def test_a_failed_acquire_is_logged_and_counted_by_its_kind(
    observed: Observed, error: Exception, timeouts: int
) -> None:
    with pytest.raises(type(error)), observed.witness.acquiring(observed.account):
        raise error
    entry = observed.log.entries()[-1]
    assert (entry.kind, entry.detail) == (FAILED, type(error).__name__)
    assert observed.errors == [error]
    assert observed.account.failed == 1
    assert observed.account.figures(0)[StatName.TIMEOUTS] == timeouts
    assert observed.waiting() == set()


def test_an_error_of_a_block_after_the_hand_out_is_no_failed_acquire(observed: Observed) -> None:
    with (
        pytest.raises(OSError, match="later"),
        observed.witness.acquiring(observed.account) as acquiring,
    ):
        acquiring.served(7, "an open transaction")
        raise OSError("later")
    entry = observed.log.entries()[-1]
    assert (entry.kind, entry.connection, entry.detail) == (OUT, 7, "an open transaction")
    assert (observed.account.failed, observed.errors) == (0, [])


def test_a_loan_ends_when_its_release_begins(observed: Observed) -> None:
    observed.acquire("early").step()
    releaser = observed.actors.start("early", observed.release())
    assert (observed.account.in_use, observed.account.releasing) == (0, 1)
    assert observed.logged()[-1] == ("early", IN)
    releaser.step()
    assert (observed.account.in_use, observed.account.releasing) == (0, 0)


def test_a_refused_release_leaves_the_connection_on_loan(observed: Observed) -> None:
    observed.acquire("early").step()
    with observed.witness.releasing(observed.account, 7) as releasing:
        releasing.refused()
    assert [kind for _, kind in observed.logged()[-2:]] == [IN, OUT]
    assert observed.account.in_use == 1


def test_a_release_that_fails_is_logged_with_its_error(observed: Observed) -> None:
    releaser = observed.actors.start("early", observed.release(OSError()))
    with pytest.raises(OSError):  # noqa: PT011 - it is this one
        releaser.step()
    entry = observed.log.entries()[-1]
    assert (entry.kind, entry.connection, entry.detail) == (RELEASE_FAILED, 7, "OSError")


@pytest.mark.parametrize(("seconds", "late"), [(0.1, False), (2.0, True)])
def test_a_release_that_took_some_time_is_logged_when_it_is_done(
    observed: Observed, seconds: float, late: bool
) -> None:
    observed.actors.start("early", observed.release(seconds=seconds)).step()
    entry = observed.log.entries()[-1]
    assert (entry.kind == LATE_RELEASE) is late
    assert entry.detail == ("took 2 s" if late else "")


def test_a_connect_that_a_fault_may_hold_is_logged_in_the_name_of_its_acquire(
    observed: Observed,
) -> None:
    inside = observed.witness.connecting(observed.account, is_held=True)
    observed.acquire("early", inside=inside).step()
    first, *connect = observed.log.entries()
    assert [entry.kind for entry in connect] == [CONNECT_HELD, CONNECT_RESUMED]
    assert {(entry.actor, entry.ticket) for entry in connect} == {("early", first.ticket)}


@pytest.mark.parametrize(("error", "fails"), [(OSError(), True), (KeyboardInterrupt(), False)])
def test_a_failed_connect_says_that_the_pool_cannot_connect_but_an_interrupt_does_not(
    observed: Observed, error: BaseException, fails: bool
) -> None:
    with pytest.raises(type(error)), observed.witness.connecting(observed.account):
        raise error
    assert observed.account.cannot_connect is fails
    assert observed.account.connecting == 0
    with observed.witness.connecting(observed.account):
        pass
    assert not observed.account.cannot_connect


def test_an_acquire_whose_connect_failed_does_not_wait_for_certain(observed: Observed) -> None:
    with observed.witness.acquiring(observed.account) as acquiring:
        with suppress(OSError), observed.witness.connecting(observed.account):
            raise OSError
        assert observed.waiting() == {acquiring.call.actor}
        assert observed.sights(acquiring.call.actor) == [BESIDE_OTHERS]
        with observed.witness.connecting(observed.account):
            pass
        assert observed.waiting() == {acquiring.call.actor}
        assert observed.sights(acquiring.call.actor) == [BESIDE_OTHERS, ""]
        acquiring.served(7, "")


def test_an_acquire_of_a_pool_that_connects_unseen_waits_for_certain_without_room(
    observed: Observed,
) -> None:
    observed.account.connects_itself = True
    sockets = observed.account.sockets
    connections = [Wire(), Wire()]
    with observed.witness.acquiring(observed.account) as acquiring:
        sockets.opened(1, connections[0], MAKE)
        assert observed.waiting() == {acquiring.call.actor}
        assert observed.sights(acquiring.call.actor) == [BESIDE_OTHERS]
        sockets.opened(2, connections[1], MAKE)
        assert observed.waiting() == {acquiring.call.actor}
        assert observed.sights(acquiring.call.actor) == [BESIDE_OTHERS, ""]
        acquiring.served(7, "")


def test_calls_other_than_acquires_never_wait(observed: Observed) -> None:
    with observed.witness.calls.calling("resize", 0) as call:
        assert observed.waiting() == set()
        assert observed.witness.calls.glance() == observed.witness.calls.under_way() == [call]
    assert observed.witness.calls.under_way() == []


def test_only_the_first_end_of_a_call_has_an_effect(observed: Observed) -> None:
    calls = observed.witness.calls
    early, late = calls.begin(ACQUIRE, 0), calls.begin(ACQUIRE, 0)
    assert calls.see(early, 0.0)
    assert not calls.see(early, 0.0)
    calls.end(late)
    calls.end(late, served=True)
    assert calls.passed() == []
    assert not calls.see(late, 0.0)
