"""An adapter that claims what it cannot do is refused before anything runs."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from poolspec.adapters import BUNDLED, PoolUnderTest, UnknownPoolError, find_pool
from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.adapters.steady_asyncio import AsyncSteadypoolAdapter
from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.lab.contract import PoolAdapter
from poolspec.testing import AsyncioAdapter
from poolspec.vocabulary import Capability, Concurrency

C = Capability

BASICS = [name for name in vars(PoolAdapter) if not name.startswith("_")]


def bare(able: set[C], **more: Any) -> Any:
    """Return an adapter with all methods, and besides just what is given."""
    return SimpleNamespace(
        **{
            **dict.fromkeys(BASICS, print),
            "name": "mine",
            "capabilities": frozenset(able),
            "driver": PyMySQLDriver(),
            **more,
        }
    )


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Look for an adapter as if it were in a module of its own."""

    def find(adapter: Any) -> PoolUnderTest:
        find_pool.cache_clear()
        module = ModuleType("mine")
        module.Mine = adapter  # type: ignore[attr-defined]  # modules take any
        monkeypatch.setitem(sys.modules, "mine", module)
        return find_pool("mine:Mine")

    return find


CONTROLS = SimpleNamespace(suspend=print, maintain=print)
UNMET: dict[str, tuple[set[C], dict[str, Any], str]] = {
    "no controls": ({C.RESIZE}, {}, "`resize` without `controls`"),
    "another control": (
        {C.RESIZE, C.MAINTENANCE},
        {"controls": CONTROLS},
        "`resize` without `controls.resize`",
    ),
    "half of the controls": (
        {C.SUSPEND},
        {"controls": CONTROLS},
        "`suspend` without `controls.resume`",
    ),
    "controls of None": ({C.LEAK_DETECTION}, {"controls": None}, "without `controls`"),
    "several": (
        {C.HEALTH, C.DRAIN},
        {"controls": CONTROLS},
        "`drain` without `controls.drain`, `health` without `controls.health`",
    ),
    "no open": ({C.CONFIGURATION}, {}, "`configuration` without `open`"),
    "no meter": ({C.METRICS}, {}, "`metrics` without `meter`"),
    "no logs": ({C.LOGS}, {}, "`logs` without `logs`"),
    "no asyncio": ({C.ASYNCIO}, {}, "`asyncio` without `asyncio`"),
}


@pytest.mark.parametrize(("able", "more", "said"), UNMET.values(), ids=UNMET)
def test_a_claim_without_what_it_takes_is_refused_in_one_line(
    find: Any, able: set[C], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnknownPoolError) as refused:
        find(bare(able, **more))
    text = str(refused.value)
    assert text.startswith("'mine:Mine' claims ")
    assert said in text
    assert text.endswith("give it that, or take the capability from its `capabilities`")
    assert "\n" not in text


def test_what_is_not_claimed_need_not_be_there(find: Any) -> None:
    able = {C.OVERFLOW, C.SUSPEND}
    adapter = bare(able, controls=SimpleNamespace(suspend=print, resume=print))
    assert find(adapter).threads is adapter


def test_an_attribute_asyncio_that_is_no_adapter_is_refused(find: Any) -> None:
    with pytest.raises(UnknownPoolError) as refused:
        find(bare({C.ASYNCIO}, asyncio=SimpleNamespace(name="mine")))
    assert str(refused.value).startswith(
        "'mine:Mine'.asyncio is not an adapter: it lacks capabilities"
    )


def test_an_adapter_for_asyncio_is_held_to_its_own_claims(find: Any) -> None:
    class Controlless(AsyncSteadypoolAdapter):
        controls = None  # type: ignore[assignment]  # this is what is wrong with it

    with pytest.raises(UnknownPoolError) as refused:
        find(bare({C.ASYNCIO}, asyncio=Controlless()))
    text = str(refused.value)
    assert text.startswith("'mine:Mine'.asyncio claims ")
    assert "`resize` without `controls`" in text
    assert "`optimistic_locking` without `controls`" in text


def test_a_driver_that_lacks_methods_is_refused(find: Any) -> None:
    class Endless(PyMySQLDriver):
        def __getattribute__(self, name: str) -> Any:
            if name in ("end", "leave_unread"):
                raise AttributeError(name)
            return super().__getattribute__(name)

    with pytest.raises(UnknownPoolError) as refused:
        find(bare(set(), driver=Endless()))
    text = str(refused.value)
    assert text == "the driver of 'mine:Mine' is not a driver: it lacks end, leave_unread"


def test_an_asyncio_side_that_is_not_installed_may_be_none(find: Any) -> None:
    find(bare({C.ASYNCIO}, asyncio=None))


def test_an_error_of_a_property_is_reported_with_its_place(find: Any) -> None:
    class Broken(SteadypoolAdapter):
        @property
        def asyncio(self) -> Any:
            raise ImportError("no driver for asyncio")

    with pytest.raises(UnknownPoolError, match="no adapter at 'mine:Mine': no driver for asyncio"):
        find(Broken)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundled_adapters_can_do_what_they_claim(name: str) -> None:
    find_pool(name)


def test_an_adapter_for_asyncio_alone_is_found_by_its_coroutines(find: Any) -> None:
    class Tasks(AsyncioAdapter):
        name = "tasks"

        async def create(self, options: Any, wiring: Any) -> Any:
            """Make nothing."""

        async def acquire(self, pool: Any, timeout: float | None) -> Any:
            """Borrow nothing."""

        async def release(self, pool: Any, connection: Any) -> None:
            """Release nothing."""

        async def close(self, pool: Any) -> None:
            """Close nothing."""

    found = find(Tasks)
    assert (found.name, found.threads, found.keeps_all) == ("tasks", None, False)
    assert found.capabilities(Concurrency.THREADS) == frozenset()
    brought = {C.VIRTUAL_TIME, C.TIMEOUT, C.CALL_TIMEOUT}
    assert found.capabilities(Concurrency.ASYNCIO) == brought
