"""Names of modules are virtual within the block, and mean the real things again after it."""

import queue
import threading
import time
from typing import Any

import pytest
from tests.lab import waiting_code
from tests.lab.virtual_fixtures import Running

from poolspec.lifecycle.forking import in_child
from poolspec.virtual import VirtualModulesError, virtual_modules, virtual_readings
from poolspec.virtual.locks import Lock, RLock
from poolspec.virtual.times import START
from steadypool.testing import VirtualClock

code: Any = waiting_code
NAME = code.__name__


def everything() -> dict[str, Any]:
    """Return all that the block may replace."""
    found: dict[str, Any] = {
        f"{owner.__name__}.{name}": value
        for owner in (code, code.Settings, code.Settings.Inner)
        for name, value in vars(owner).items()
        if not name.startswith("__")
    }
    found["bases"] = (code.Worker.__bases__, code.Stack.__bases__)
    found["defaults"] = (code.age.__defaults__, dict(code.age.__kwdefaults__ or {}))
    return found


def test_every_name_is_virtual_within_the_block_and_real_after_it() -> None:
    before = everything()
    with virtual_modules(VirtualClock(), NAME):
        within = everything()
        assert code.Lock is code.threading.Lock is code.aliased.Lock is Lock
        assert code.Settings.lock_class is Lock
        assert code.Settings.Inner.event_class is code.Event is not threading.Event
    same = {name for name in before if within[name] is before[name]}
    assert everything() == before
    same = {name.rpartition(".")[2] for name in same}
    kept = "Any Callable Empty Full Inner Settings Stack Worker age beat local"
    assert same == set(kept.split())
    assert within["bases"] != before["bases"]
    assert code.Lock is before[f"{NAME}.Lock"]


def test_the_modules_themselves_stay_real() -> None:
    with virtual_modules(VirtualClock(), NAME):
        assert code.threading.current_thread() is threading.current_thread()
        assert code.threading.local is threading.local
        assert code.queue.Empty is queue.Empty
        assert code.time.strftime is time.strftime
        assert not isinstance(threading.Lock(), Lock)


def test_default_values_and_class_attributes_are_virtual() -> None:
    clock = VirtualClock()
    with virtual_modules(clock, NAME):
        clock.sleep(5)
        settings = code.Settings()
        then = settings.then()
        clock.sleep(7)
        assert code.age(then) == (7, Lock)
        assert settings.now() - then == 7


def test_global_locks_are_virtual_if_they_are_free() -> None:
    with code.guard, virtual_modules(VirtualClock(), NAME):
        assert isinstance(code.registry, RLock)
        assert isinstance(code.Settings.shared, Lock)
        assert not isinstance(code.guard, Lock)
    assert not isinstance(code.registry, RLock)


def test_an_error_in_the_block_leaves_nothing_virtual() -> None:
    before = everything()
    with pytest.raises(KeyboardInterrupt), virtual_modules(VirtualClock(), NAME):
        raise KeyboardInterrupt
    assert everything() == before


def test_an_unknown_module_leaves_nothing_virtual() -> None:
    before = everything()
    with (
        pytest.raises(VirtualModulesError, match="no_such_module"),
        virtual_modules(VirtualClock(), NAME, "no_such_module"),
    ):
        pass
    assert everything() == before


@pytest.mark.parametrize(("name", "why"), [("threading", "modules that use"), ("math", "Python")])
def test_a_module_that_cannot_be_virtual_is_refused(name: str, why: str) -> None:
    with pytest.raises(VirtualModulesError, match=why), virtual_modules(VirtualClock(), name):
        pass


def test_blocks_do_not_nest() -> None:
    with virtual_modules(VirtualClock(), NAME):
        with (
            pytest.raises(VirtualModulesError, match="virtual already"),
            virtual_modules(VirtualClock(), NAME),
        ):
            pass
        assert code.Lock is Lock
    with virtual_modules(VirtualClock(), NAME):
        assert code.Lock is Lock


def test_objects_of_the_block_keep_their_clock_after_it() -> None:
    clock = VirtualClock()
    with virtual_modules(clock, NAME):
        lock, items, event = code.Lock(), code.Queue(), code.Event()
        worker = code.Worker(5, [])
        worker.start()
    with virtual_modules(VirtualClock(), NAME):
        pass
    with lock, pytest.raises(queue.Empty):
        items.get(timeout=2)
    assert not event.wait(1)
    worker.join()
    assert clock.now() == 5


def test_a_thread_from_before_the_block_counts_only_while_it_waits() -> None:
    clock, ready = VirtualClock(), threading.Event()
    locks: list[Any] = []
    seen: list[float] = []

    def stranger() -> None:
        ready.wait(20)
        with locks[0]:
            seen.append(clock.now())

    thread = threading.Thread(target=stranger, daemon=True)
    thread.start()
    with virtual_modules(clock, NAME):
        locks.append(code.Lock())
        with locks[0]:
            ready.set()
            while not clock.waiting():
                time.sleep(0.001)
            assert clock.now() == 0  # this thread can run
            clock.sleep(3)
        thread.join(20)
        assert seen == [3.0]
        clock.sleep(1)
        assert clock.now() == 4


def test_locks_that_other_threads_await_are_free_for_the_threads_of_a_forked_child() -> None:
    clock = VirtualClock()
    with virtual_modules(clock, NAME):
        lock, actors = code.Lock(), Running(clock)

        def take() -> None:
            with lock:
                pass

        def hand_over() -> None:
            actors = Running(clock)
            actors.queue(lambda: lock.acquire(timeout=60))
            lock.release()  # wakes the thread of this process, not one of its parent's
            actors.join()
            assert clock.now() == 0

        with lock:
            actors.queue(take, take)
            in_child(hand_over)
        actors.join()


def test_readings_of_time_alone_can_be_virtual() -> None:
    clock = VirtualClock()
    before = everything()
    with virtual_readings(clock.now, NAME):
        changed = {name for name, value in everything().items() if value is not before[name]}
        clock.sleep(7)
        settings = code.Settings()
        assert settings.now() - settings.then() == 0
        assert code.time.time() == code.time.monotonic() == START + 7
        assert code.time.sleep is time.sleep
        assert code.Lock is before[f"{NAME}.Lock"]
        assert not isinstance(code.Settings.lock_class(), Lock)
    assert f"{NAME}.time" in changed
    assert everything() == before
